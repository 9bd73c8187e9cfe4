import CRIAPI
import Core
import Linux
import OCI
import Spec
import Support
import SwiftProtobuf
import Testing

struct CDITests {
  private func nic(_ extra: String = "", version: String = "0.6.0") -> String {
    """
    {"cdiVersion": "\(version)", "kind": "vendor.com/nic",
     "containerEdits": {"env": ["COMMON=1"]},
     "devices": [
      {"name": "a", "containerEdits": {"env": ["WHO=a"], "deviceNodes": [{"path": "/dev/nic-a", "hostPath": "/dev/null", "permissions": "rw"}],
       "mounts": [{"hostPath": "/opt/nic", "containerPath": "/opt/nic", "options": ["ro", "nosuid"]}],
       "hooks": [{"hookName": "createContainer", "path": "/usr/bin/nic-hook", "args": ["nic-hook", "a"]}],
       "additionalGids": [4711]\(extra)}},
      {"name": "b", "containerEdits": {"deviceNodes": [{"path": "/dev/nic-b", "type": "c", "major": 240, "minor": 7}]}}]}
    """
  }

  /// Builds a spec on a node whose /etc/cdi and /var/run/cdi hold these files.
  private func build(_ files: [String: String], _ change: @escaping (inout SpecInputs) -> Void) async throws -> Result<RuntimeSpec, Fault> {
    var result: Result<RuntimeSpec, Fault>?
    try await withScratch("cdi") { scratch async throws in
      for directory in ["etc", "run"] { try Files.makeDirectories("\(scratch)/\(directory)") }
      for (name, text) in files { try Files.write(text, to: "\(scratch)/\(name)") }
      let inputs = SpecFixture.inputs {
        $0.node.cdiDirectories = ["\(scratch)/etc", "\(scratch)/run"]
        $0.lookups.devices = { [DeviceNode(path: $0, kind: .character, major: 1, minor: 3)] }
        change(&$0)
      }
      do throws(Fault) { result = .success(try makeSpec(inputs).spec) } catch { result = .failure(error) }
    }
    return try #require(result)
  }

  private func message(_ result: Result<RuntimeSpec, Fault>) -> String {
    switch result {
    case .success: "no fault"
    case .failure(let fault): "\(fault.code): \(fault.message)"
    }
  }

  private func ask(_ names: String...) -> (inout SpecInputs) -> Void {
    { inputs in inputs.container.cdiDevices = names.map { name in .with { $0.name = name } } }
  }

  @Test func `a device's edits and those of its file reach the spec`() async throws {
    let spec = try await build(["etc/nic.json": nic()]) {
      ask("vendor.com/nic=a")(&$0)
      $0.container.annotations = ["cdi.k8s.io/plugin": "vendor.com/nic=b,vendor.com/nic=a"]
    }.get()
    #expect(spec.process.env.contains("COMMON=1") && spec.process.env.contains("WHO=a"))
    let devices = spec.linux.devices ?? []
    #expect(devices.map(\.path) == ["/dev/nic-a", "/dev/nic-b"])
    #expect(devices[0].major == 1 && devices[0].minor == 3 && devices[1].major == 240)
    #expect(spec.linux.resources?.devices?.contains { $0.major == 1 && $0.minor == 3 && $0.access == "rw" } == true)
    #expect(spec.mounts.last == RuntimeSpec.Mount("/opt/nic", type: "bind", source: "/opt/nic", options: ["rbind", "ro", "nosuid"]))
    #expect(spec.hooks?.createContainer == [RuntimeSpec.Hook(path: "/usr/bin/nic-hook", args: ["nic-hook", "a"])])
    #expect(spec.process.user.additionalGids?.contains(4711) == true)
  }

  @Test func `a later directory wins, two files of one directory conflict`() async throws {
    let other = nic().replacing("WHO=a", with: "WHO=other")
    let spec = try await build(["etc/nic.json": nic(), "run/nic.json": other], ask("vendor.com/nic=a")).get()
    #expect(spec.process.env.contains("WHO=other") && !spec.process.env.contains("WHO=a"))
    let conflict = message(try await build(["etc/nic.json": nic(), "etc/twin.json": other], ask("vendor.com/nic=a")))
    #expect(conflict.contains("failedPrecondition: CDI device vendor.com/nic=a") && conflict.contains("twin.json"))
  }

  @Test func `broken specs are an error for those who need them only`() async throws {
    let files = [
      "etc/nic.json": nic(), "etc/broken.json": "{\"cdiVersion\"", "etc/new.json": nic(version: "9.9.9"), "run/x.yaml": "kind: a/b",
    ]
    _ = try await build(files, ask("vendor.com/nic=a")).get()
    let missing = message(try await build(files, ask("vendor.com/gpu=0")))
    for word in ["vendor.com/gpu=0", "broken.json", "new.json", "9.9.9", "x.yaml"] { #expect(missing.contains(word), "\(missing)") }
    #expect(message(try await build([:], ask("vendor.com/gpu"))).hasPrefix("invalidArgument: CDI_devices[0].name: \"vendor.com/gpu\""))
    let annotated = try await build([:]) { $0.container.annotations = ["cdi.k8s.io/x": "a,b"] }
    #expect(message(annotated).hasPrefix("invalidArgument: annotations[\"cdi.k8s.io/x\"]: \"a\""))
    let rdt = try await build(["etc/nic.json": nic(", \"intelRdt\": {}")], ask("vendor.com/nic=a"))
    #expect(message(rdt).hasPrefix("unimplemented: CDI: intelRdt"))
  }
}
