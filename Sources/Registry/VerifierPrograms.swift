import Core
import Linux
package import Logging
package import OCI

/// Image verifiers as containerd has them (docs/image-verification.md): every executable of a directory is asked about every image, and each of them has to
/// agree with exit status 0; what it writes to its output is the reason. No directory, or an empty one, takes every image.
///
/// They are run as `PROGRAM -name NAME -digest DIGEST -stdin-media-type TYPE`, with the image's descriptor as JSON on standard input. A verifier that does
/// not end in time, or that cannot be started, says no: a policy that cannot be asked is not one that agrees.
package struct VerifierPrograms: ImagePolicy {
  private let directory: String
  private let timeout: Duration
  private let logger: Logger

  private static let mediaType = "application/vnd.oci.descriptor.v1+json"
  private static let environment = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
  private static let outputLimit = 16 << 10

  package init(directory: String, timeout: Duration, logger: Logger) {
    self.directory = directory
    self.timeout = timeout
    self.logger = logger
  }

  package func check(_ name: String, _ descriptor: Descriptor) async throws {
    for program in try programs() {
      try await stage("image verifier \(program)") { try await ask(program, name, descriptor) }
    }
  }

  /// Of the programs, by name and by what the file system says of each: the policy behind a program is the program's own affair.
  package func fingerprint() throws -> String {
    let programs = try programs()
    if programs.isEmpty { return "" }
    let versions = programs.map { "\($0) \(Files.version("\(directory)/\($0)").map(String.init(describing:)) ?? "gone")" }
    return Digest.sha256(of: Array(versions.joined(separator: "\n").utf8)).hex
  }

  /// In the order of their names. Read anew for every image.
  private func programs() throws -> [String] {
    do { return try Files.list(directory).filter { !$0.hasPrefix(".") } } catch {
      if error.isMissing { return [] }
      throw Fault(error).within("image verifiers")
    }
  }

  private func ask(_ program: String, _ name: String, _ descriptor: Descriptor) async throws {
    let arguments = ["-name", name, "-digest", "\(descriptor.digest)", "-stdin-media-type", Self.mediaType]
    let output: Command.Output
    do {
      output = try await Command.run(
        "\(directory)/\(program)", arguments, environment: Self.environment, input: JSONDocument.encode(descriptor), timeout: timeout,
        outputLimit: Self.outputLimit)
    } catch let error as SystemError { throw ImageRejected("it cannot be started: \(error)") }
    let reason = Excerpt.of(String(decoding: output.stdout, as: UTF8.self))
    if output.ending == .timedOut { throw ImageRejected("no answer in \(timeout)") }
    guard output.succeeded else { throw ImageRejected(reason.isEmpty ? "rejected" : "rejected: \(reason)") }
    logger.info("image accepted", metadata: ["image": "\(name)", "verifier": "\(program)", "reason": "\(reason)"])
  }
}
