import Core
import OCI
import Spec
import Testing

/// What experimental annotations change in a spec, where they are allowed.
struct ExperimentSpecTests {
  private func build(_ annotations: [String: String], _ change: (inout SpecInputs) -> Void = { _ in }) throws -> BuiltSpec {
    var inputs = SpecFixture.inputs()
    inputs.allowed = AllowedAnnotations(ExperimentalAnnotation.allCases.map(\.rawValue))
    inputs.sandbox.annotations = annotations
    change(&inputs)
    return try makeSpec(inputs)
  }

  @Test func `a umask is the container's own, else what its pod says of it, else the pod's`() throws {
    #expect(try build([:]).spec.process.user.umask == nil)
    #expect(try build(["umask.crio.io": "027"]).spec.process.user.umask == 0o27)
    #expect(try build(["umask.crio.io": "027", "umask.crio.io/main": "077"]).spec.process.user.umask == 0o77)
    let own = try build(["umask.crio.io": "027"]) { $0.container.annotations = ["io.kubernetes.cri-o.umask": "7777"] }
    #expect(own.spec.process.user.umask == 0o7777)
  }

  @Test(arguments: ["", "8", "00022", "+22", "-1", "0x1", "２２"])
  func `a umask that is none is refused with its annotation`(_ text: String) {
    let fault = #expect(throws: Fault.self) { try build(["umask.crio.io": text]) }
    #expect(fault?.code == .invalidArgument && fault?.message.contains("annotations[\"umask.crio.io\"]: \"\(text)\"") == true)
  }

  @Test func `an annotation that is not allowed has no effect, and a warning says so`() throws {
    let built = try build(["umask.crio.io": "nonsense"]) { $0.allowed = AllowedAnnotations() }
    #expect(built.spec.process.user.umask == nil)
    #expect(built.warnings.count == 1 && built.warnings[0].contains("umask.crio.io") && built.warnings[0].contains("allowed_annotations"))
  }
}
