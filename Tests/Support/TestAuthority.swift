import Core
import Linux

/// A certificate authority for one test, made with the openssl command.
package struct TestAuthority: Sendable {
  package struct Identity: Sendable {
    /// Paths of PEM files.
    package let certificate: String
    package let key: String
  }

  private let directory: String
  private let name: String

  /// Path of the authority's own certificate (PEM).
  package var certificate: String { "\(directory)/\(name).pem" }

  /// `directory` gets the files; `name` is the authority's common name, too.
  package init(in directory: String, name: String = "test-authority") async throws {
    self.directory = directory
    self.name = name
    try await Self.request(directory, name, ["-addext", "basicConstraints=critical,CA:TRUE"])
  }

  /// A certificate for servers (by `alternatives`, `IP:127.0.0.1`) and for clients.
  package func issue(_ name: String, alternatives: String = "IP:127.0.0.1") async throws -> Identity {
    let issuer = ["-CA", certificate, "-CAkey", "\(directory)/\(self.name).key"]
    try await Self.request(directory, name, issuer + ["-addext", "subjectAltName=\(alternatives)", "-addext", "basicConstraints=CA:FALSE"])
    return Identity(certificate: "\(directory)/\(name).pem", key: "\(directory)/\(name).key")
  }

  private static func request(_ directory: String, _ name: String, _ more: [String]) async throws {
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "\(directory)/\(name).key"]
    let output = try await Command.run(
      "/usr/bin/openssl", ["req", "-x509", "-days", "2", "-subj", "/CN=\(name)", "-out", "\(directory)/\(name).pem"] + key + more,
      timeout: .seconds(30))
    guard output.succeeded else { throw Fault(.internal, "openssl: \(String(decoding: output.stderr, as: UTF8.self))") }
  }
}
