/// Who this node is for a registry host, as the node's own configuration says. A request's own credentials come before it.
package enum RegistryIdentity: Hashable, Sendable {
  /// - Parameter from: the file that says so.
  case credentials(RegistryCredentials, from: String)
  case helper(CredentialHelper)
  /// It is configured, but cannot be used, and why: said only when the host asks who we are.
  case unusable(String)
}

/// A ``RegistryIdentity`` for the repositories at and below `path`; an empty one is all of them.
package struct ScopedIdentity: Hashable, Sendable {
  package var path: String
  package var identity: RegistryIdentity

  package init(path: String = "", _ identity: RegistryIdentity) {
    self.path = path
    self.identity = identity
  }

  package func covers(_ repository: String) -> Bool { path.isEmpty || repository == path || repository.hasPrefix(path + "/") }
}

/// A program that knows credentials, as docker's: `docker-credential-NAME get`.
package struct CredentialHelper: Hashable, Sendable {
  /// What comes after `docker-credential-`, or an absolute path.
  package var program: String
  /// What it is asked for: a host as its keys have it, `https://index.docker.io/v1/` for Docker Hub.
  package var server: String
  /// The file that names it.
  package var from: String
  /// Used where the helper knows nothing of the server.
  package var fallback: RegistryCredentials?

  package init(_ program: String, server: String, from: String, fallback: RegistryCredentials? = nil) {
    self.program = program
    self.server = server
    self.from = from
    self.fallback = fallback
  }

  /// For people.
  package var name: String { program.hasPrefix("/") ? program : "docker-credential-\(program)" }
}

/// Runs credential helpers.
package protocol CredentialHelpers: Sendable {
  /// What the helper answers, remembered for a while; `nil` where it knows no credentials for the server. FAILED_PRECONDITION where it cannot be
  /// started or answers nonsense, UNAUTHENTICATED with its words where it fails, UNAVAILABLE where it does not end in time.
  func credentials(_ helper: CredentialHelper) async throws -> RegistryCredentials?
  /// A registry refused `credentials`: the helper is asked again next time.
  func forget(_ helper: CredentialHelper, _ credentials: RegistryCredentials)
}

/// A node without any.
package struct NoCredentialHelpers: CredentialHelpers {
  package init() {}
  package func credentials(_ helper: CredentialHelper) throws -> RegistryCredentials? {
    throw Fault(.failedPrecondition, "credential helper \(helper.name): none can be run here")
  }
  package func forget(_ helper: CredentialHelper, _ credentials: RegistryCredentials) {}
}
