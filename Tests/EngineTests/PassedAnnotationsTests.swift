import Testing

@testable import Engine

struct PassedAnnotationsTests {
  @Test func onlyThoseThatAPatternNamesPassAndTheContainersWin() {
    let handler = PassedAnnotations(pod: ["io.katacontainers.*", "exact", "a/?"], container: ["exact"])
    let pod = ["io.katacontainers.config.x": "1", "io.katacontainers.a/b": "2", "exact": "pod", "a/x": "3", "a/xy": "4", "other": "5"]
    let passed = handler.passed(pod: pod, container: ["exact": "container", "a/x": "6"])
    #expect(passed == ["io.katacontainers.config.x": "1", "exact": "container", "a/x": "3"])
    #expect(PassedAnnotations().passed(pod: pod, container: pod).isEmpty)
  }
}
