import CRIAPI
import Linux
import OCI
import Spec
import Support

/// A bundle with Debian's static busybox, run by the real runc in a cgroup of its own; nothing is left of it afterwards.
struct RuncContainer {
  static let runc = "/usr/sbin/runc"

  let directory: String
  let name: String

  var bundle: String { directory + "/bundle" }
  var cgroupParent: String { "/" + name }

  /// - Parameter body: is given the container; what `body` started is deleted by force at the end.
  static func with(_ body: (RuncContainer) async throws -> Void) async throws {
    try await withScratch("spec") { directory in
      let container = RuncContainer(directory: directory, name: "berth-spec-\(UInt32.random(in: 0...UInt32.max))")
      try container.makeRoot()
      let result = await Result { try await body(container) }
      try await container.delete()
      try result.get()
    }
  }

  /// Builds the spec of `script` and what `change` adds, with the facts of this node.
  func inputs(_ script: String, _ change: (inout SpecInputs) throws -> Void = { _ in }) throws -> SpecInputs {
    var inputs = SpecFixture.inputs()
    inputs.id = name
    inputs.pod = PodFacts(sandboxID: name)
    inputs.node = try NodeFacts.gather()
    inputs.sandbox.linux.cgroupParent = cgroupParent
    inputs.container.command = ["/bin/busybox", "sh", "-c", script]
    let images = inputs.lookups.imageFile
    inputs.lookups = Lookups(imageFile: images)
    try change(&inputs)
    return inputs
  }

  /// Standard output of `script`; fails with standard error where the script does.
  func run(_ script: String, _ change: (inout SpecInputs) throws -> Void = { _ in }) async throws -> String {
    try write(makeSpec(inputs(script, change)).spec)
    return try await runc(["run", "--bundle", bundle, name])
  }

  func write(_ spec: RuntimeSpec) throws { try Files.write(spec.encoded, to: bundle + "/config.json") }

  func runc(_ arguments: [String]) async throws -> String {
    let output = try await Command.run(
      Self.runc, ["--root", directory + "/state"] + arguments, environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"], timeout: .seconds(60))
    guard output.succeeded else { throw RuncFailure(description: "\(output.ending): \(String(decoding: output.stderr, as: UTF8.self))") }
    return String(decoding: output.stdout, as: UTF8.self)
  }

  private func makeRoot() throws {
    try Files.makeDirectories(bundle + "/rootfs/bin", mode: 0o755)
    try Files.write(Files.read("/usr/bin/busybox"), to: bundle + "/rootfs/bin/busybox", mode: 0o755)
  }

  private func delete() async throws {
    if Files.exists(directory + "/state/" + name) { _ = try await runc(["delete", "--force", name]) }
    for hierarchy in try [""] + Files.list("/sys/fs/cgroup") {
      let path = "/sys/fs/cgroup/" + hierarchy + cgroupParent
      if Files.exists(path) { try Files.removeDirectory(path) }
    }
  }
}

struct RuncFailure: Error, CustomStringConvertible {
  let description: String
}

extension Result where Failure == any Error {
  fileprivate init(_ body: () async throws -> Success) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}
