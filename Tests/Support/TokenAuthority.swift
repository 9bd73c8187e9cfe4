import Core
import FoundationEssentials
import Linux
import OCI

/// Signs bearer tokens as a registry's token server does (distribution's JWT specification, RS256 with the certificate in the header).
package struct TokenAuthority: Sendable {
  private let directory: String
  private let certificate: String

  package let issuer = "test-issuer"
  package let service = "test-service"
  /// Path of the certificate that signatures are checked with (PEM).
  package var bundle: String { directory + "/token.pem" }

  package init(in directory: String) async throws {
    self.directory = directory
    let key = ["-newkey", "rsa:2048", "-nodes", "-keyout", directory + "/token.key", "-out", directory + "/token.pem"]
    try await Self.openssl(["req", "-x509", "-days", "2", "-subj", "/CN=tokens"] + key)
    let text = String(decoding: try Files.read(directory + "/token.pem"), as: UTF8.self)
    certificate = text.split(separator: "\n").filter { !$0.hasPrefix("-----") }.joined()
  }

  /// Options of a registry that takes these tokens and sends others to `realm`.
  package func options(realm: String) -> LocalRegistry.Options {
    var options = LocalRegistry.Options()
    options.token = (realm, service, issuer, bundle)
    return options
  }

  private struct Header: Encodable {
    var typ = "JWT"
    var alg = "RS256"
    let x5c: [String]
  }

  private struct Claims: Encodable {
    struct Access: Encodable {
      var type = "repository"
      let name: String
      let actions: [String]
    }
    let iss: String
    var sub = "test"
    let aud: String
    let exp: Int
    let nbf: Int
    let iat: Int
    let jti: String
    let access: [Access]
  }

  /// A token for `access` (repository and actions each) that a registry takes for `lifetime` seconds; it forgives a minute.
  package func token(_ access: [(repository: String, actions: [String])], lifetime: Int = 300) async throws -> String {
    let now = Int(SystemClock.realtimeNanoseconds() / 1_000_000_000)
    let claims = Claims(
      iss: issuer, aud: service, exp: now + lifetime, nbf: now - 600, iat: now - 600, jti: "\(UInt64.random(in: 0...UInt64.max))",
      access: access.map { .init(name: $0.repository, actions: $0.actions) })
    let text = [JSONDocument.encode(Header(x5c: [certificate])), JSONDocument.encode(claims)].map(Self.base64URL).joined(separator: ".")
    let path = "\(directory)/\(claims.jti)"
    try Files.write(text, to: path)
    try await Self.openssl(["dgst", "-sha256", "-sign", directory + "/token.key", "-out", path + ".signature", path])
    return text + "." + Self.base64URL(try Files.read(path + ".signature"))
  }

  private static func base64URL(_ bytes: [UInt8]) -> String {
    Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").filter { $0 != "=" }
  }

  private static func openssl(_ arguments: [String]) async throws {
    let output = try await Command.run("/usr/bin/openssl", arguments, timeout: .seconds(30))
    guard output.succeeded else { throw Fault(.internal, "openssl: \(output.errorText)") }
  }
}
