import Core
import OCI
import Testing

@testable import Spec

@Suite struct ExperimentalAnnotationTests {
  @Test func `a size is what docker's tools and Kubernetes write`() {
    let sizes = [
      "0": 0, "4096": 4096, "128m": 128 << 20, "128M": 128 << 20, "64MiB": 64 << 20, "1.5Gi": 3 << 29, "2gb": 2 << 30, "1 k": 1024,
      "1p": 1 << 50,
    ]
    for (text, size) in sizes { #expect(ByteSize.parse(text) == size, "\(text)") }
    for text in ["", "m", "-1", "1x", "1e3", "0x10", "9999p", "1..2", "1mm", "1 2"] { #expect(ByteSize.parse(text) == nil, "\(text)") }
  }

  @Test func `an annotation counts where it is allowed, by its new name or its old one`() throws {
    let none = AllowedAnnotations()
    let some = try AllowedAnnotations(["io.kubernetes.cri-o.ShmSize"])
    let pod = ["shm-size.crio.io": "1m", "other": "x"]
    #expect(none.value(.shmSize, in: pod) == nil && none.refused(pod) == ["shm-size.crio.io"])
    #expect(some.value(.shmSize, in: pod) == "1m" && some.refused(pod) == [])
    #expect(some.value(.shmSize, in: ["io.kubernetes.cri-o.ShmSize": "2m"]) == "2m")
    #expect(none.union(some) == some)
    let error = #expect(throws: Fault.self) { try AllowedAnnotations(["link-logs.crio.io"]) }
    #expect(error?.message.contains("\"link-logs.crio.io\" means nothing") == true)
  }

  @Test func `the mark of a container is not put into a volume`() throws {
    func marks(_ change: (inout SpecInputs) -> Void = { _ in }) throws -> Bool {
      try SpecFixture.build {
        $0.pod.markerFile = "/state/containerenv"
        change(&$0)
      }.mounts.contains { $0.destination == "/run/.containerenv" && $0.source == "/state/containerenv" }
    }
    #expect(try marks())
    #expect(try !marks { $0.mount("/run", "/run") })
    #expect(try !marks { $0.mount("/run", "/var/run/") })
    #expect(try !marks { $0.imageVolumes = ["/run/": "/v"] })
    #expect(try !marks { $0.pod.markerFile = nil })
  }
}
