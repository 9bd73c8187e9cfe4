import Core
import FoundationEssentials

/// What a token endpoint gave.
struct Token: Sendable {
  let authorization: String
  let expires: ContinuousClock.Instant
}

/// What is asked of a token endpoint (distribution's token authentication specification).
struct TokenRequest: Hashable, Sendable {
  let realm: String
  let service: String?
  /// Each once.
  let scopes: [String]
  let credentials: RegistryCredentials?

  init(_ challenge: Challenge, _ endpoint: Endpoint, _ credentials: RegistryCredentials?) {
    realm = challenge.parameters["realm"] ?? ""
    service = challenge.parameters["service"]
    var scopes = (challenge.parameters["scope"] ?? "").split(separator: " ").map(String.init)
    let wanted = scopes.isEmpty ? endpoint.scopes : Array(endpoint.scopes.dropFirst())
    scopes += wanted.filter { !scopes.contains($0) }
    self.scopes = scopes
    self.credentials = credentials
  }
}

/// A token endpoint's answer, in the dialects there are.
struct TokenAnswer: Decodable {
  let token: String?
  let accessToken: String?
  let expiresIn: Double?

  private enum CodingKeys: String, CodingKey {
    case token
    case accessToken = "access_token"
    case expiresIn = "expires_in"
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    token = try container.decodeIfPresent(String.self, forKey: .token)
    accessToken = try container.decodeIfPresent(String.self, forKey: .accessToken)
    expiresIn = try? container.decodeIfPresent(Double.self, forKey: .expiresIn)
  }

  /// `nil` where there is no token, or one that is no header's value.
  func token(at now: ContinuousClock.Instant) -> Token? {
    guard let value = [token, accessToken].compactMap({ $0 }).first(where: { !$0.isEmpty }),
      value.utf8.allSatisfy({ (33...126).contains($0) })
    else { return nil }
    let life = min(max(expiresIn ?? 60, 0), 86400)
    return Token(authorization: "Bearer \(value)", expires: now + .seconds(life * 0.9))
  }
}

extension RegistryCredentials {
  /// `nil` where there is no user name and password.
  var basic: String? {
    username.isEmpty && password.isEmpty ? nil : "Basic " + Data("\(username):\(password)".utf8).base64EncodedString()
  }
}
