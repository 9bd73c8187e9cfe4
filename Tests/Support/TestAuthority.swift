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

  /// The same with a validity of its own, both ends as `YYYYMMDDHHMMSSZ`.
  package func issue(_ name: String, alternatives: String = "IP:127.0.0.1", from: String, until: String) async throws -> Identity {
    let base = "\(directory)/\(name)"
    try Files.write("subjectAltName=\(alternatives)\nbasicConstraints=CA:FALSE\n", to: base + ".ext")
    try Files.write(
      "[ca]\ndefault_ca=d\n[d]\nnew_certs_dir=\(directory)\ndatabase=\(base).db\nrand_serial=yes\ndefault_md=sha256\npolicy=p\n[p]\n",
      to: base + ".cnf")
    try Files.write("", to: base + ".db")
    try await Self.openssl([
      "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=\(name)", "-keyout",
      base + ".key", "-out",
      base + ".csr",
    ])
    try await Self.openssl([
      "ca", "-batch", "-notext", "-config", base + ".cnf", "-rand_serial", "-startdate", from, "-enddate", until, "-extfile", base + ".ext",
      "-preserveDN",
      "-cert", certificate, "-keyfile", "\(directory)/\(self.name).key", "-in", base + ".csr", "-out", base + ".pem",
    ])
    return Identity(certificate: base + ".pem", key: base + ".key")
  }

  private static func openssl(_ arguments: [String]) async throws {
    let output = try await Command.run("/usr/bin/openssl", arguments, timeout: .seconds(30))
    guard output.succeeded else { throw Fault(.internal, "openssl: \(output.errorText)") }
  }

  private static func request(_ directory: String, _ name: String, _ more: [String]) async throws {
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "\(directory)/\(name).key"]
    let output = try await Command.run(
      "/usr/bin/openssl", ["req", "-x509", "-days", "2", "-subj", "/CN=\(name)", "-out", "\(directory)/\(name).pem"] + key + more,
      timeout: .seconds(30))
    guard output.succeeded else { throw Fault(.internal, "openssl: \(String(decoding: output.stderr, as: UTF8.self))") }
  }
}
