package import OCI

/// One endpoint that a pull might ask, and why it would or would not.
package struct ExplainedEndpoint: Sendable, Hashable {
  package var url: String
  package var capabilities: [String]
  package var isServer: Bool
  /// Whose credentials would go there, in words without secrets.
  package var credentials: String
  /// Empty where it is asked directly.
  package var proxy = ""
  package var isUsed: Bool
  package var reason: String
  /// TLS and headers, in words without secrets.
  package var settings: [String] = []
  /// What it answered, where it was asked.
  package var answer = ""
  package var milliseconds: Int64 = 0

  package init(url: String, capabilities: [String], isServer: Bool, credentials: String, isUsed: Bool, reason: String) {
    self.url = url
    self.capabilities = capabilities
    self.isServer = isServer
    self.credentials = credentials
    self.isUsed = isUsed
    self.reason = reason
  }
}

/// A registry source that can say how it would go about a pull.
package protocol RegistryExplaining: Sendable {
  /// In the order in which they would be asked.
  /// - Parameter trying: ask each for the manifest, by itself.
  func explain(_ reference: ImageReference, credentials: RegistryCredentials?, trying: Bool) async throws -> [ExplainedEndpoint]
}
