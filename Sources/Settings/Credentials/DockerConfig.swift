package import Core
import Linux
import OCI

/// Credentials as `docker login` keeps them: `config.json`, and `auth.json` of podman and skopeo, whose keys may go down to a repository.
package struct DockerConfig: Sendable, Equatable {
  private struct File: Decodable {
    struct Entry: Decodable {
      let auth: String?
      let username: String?
      let password: String?
      let identitytoken: String?
      let registrytoken: String?
    }
    let auths: [String: Entry]?
    let credHelpers: [String: String]?
    let credsStore: String?
  }

  private struct Entry: Sendable, Equatable {
    let key: RegistryAddress
    let credentials: RegistryCredentials
  }

  /// What helpers call Docker Hub.
  private static let dockerHub = "https://index.docker.io/v1/"
  static let maximumSize = 1 << 20

  private let file: String
  private let entries: [Entry]
  private let helpers: [String: String]
  private let store: String?

  /// - Parameter file: its path, for messages.
  package init(_ bytes: [UInt8], file: String) throws(SettingsError) {
    let content: File
    do throws(DocumentError) { content = try JSONDocument.decode(File.self, from: bytes, as: "credentials", limit: Self.maximumSize) } catch
    {
      throw SettingsError(file, error.reason)
    }
    var entries: [Entry] = []
    for (key, entry) in (content.auths ?? [:]).sorted(by: { $0.key < $1.key }) {
      guard let credentials = Self.credentials(entry) else {
        throw SettingsError(file, "\"auths.\(key)\": auth is not base64 of username:password")
      }
      if !credentials.isEmpty { entries.append(Entry(key: RegistryAddress(key), credentials: credentials)) }
    }
    self.file = file
    self.entries = entries
    helpers = Dictionary(
      (content.credHelpers ?? [:]).sorted { $0.key < $1.key }.map { (RegistryAddress($0.key).authority, $0.value) },
      uniquingKeysWith: { $1 })
    store = content.credsStore.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// `nil` where it cannot be understood. The name `<token>` says that the password is an OAuth2 refresh token.
  private static func credentials(_ entry: File.Entry) -> RegistryCredentials? {
    var credentials = RegistryCredentials()
    credentials.username = entry.username ?? ""
    credentials.password = entry.password ?? ""
    if let auth = entry.auth, !auth.isEmpty {
      guard let basic = RegistryCredentials.decodeBasic(auth) else { return nil }
      (credentials.username, credentials.password) = basic
    }
    credentials.identityToken = entry.identitytoken ?? ""
    credentials.registryToken = entry.registrytoken ?? ""
    return credentials.withTokenName()
  }

  /// Who one is at a host, the closest scope first: entries for repositories below it, then the host's helper, the store of all hosts, the host's entry.
  package func identities(at authority: String) -> [ScopedIdentity] {
    let name = RegistryAddress(authority).authority
    let own = entries.filter { $0.key.authority == name }.sorted { $0.key.path.utf8.count > $1.key.path.utf8.count }
    var identities = own.filter { !$0.key.path.isEmpty }.map { ScopedIdentity(path: $0.key.path, .credentials($0.credentials, from: file)) }
    let whole = own.first { $0.key.path.isEmpty }?.credentials
    if let program = helpers[name] ?? store {
      identities.append(ScopedIdentity(Self.helper(program, Self.helperServer(name), file, whole)))
    } else if let whole {
      identities.append(ScopedIdentity(.credentials(whole, from: file)))
    }
    return identities
  }

  /// What a helper is asked for. - Parameter authority: of a ``RegistryAddress``.
  static func helperServer(_ authority: String) -> String { authority == "docker.io" ? dockerHub : authority }

  private static func helper(_ program: String, _ server: String, _ file: String, _ fallback: RegistryCredentials?) -> RegistryIdentity {
    guard CredentialHelper.isName(program) else { return .unusable("\(file): \"\(program.prefix(100))\" is no credential helper's name") }
    return .helper(CredentialHelper(program, server: server, from: file, fallback: fallback))
  }
}

extension CredentialHelper {
  /// A name becomes part of a program's name, and leads to no other directory.
  static func isName(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 200 && !text.hasPrefix(".")
      && text.utf8.allSatisfy { "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-".utf8.contains($0) }
  }
}

extension RegistryCredentials {
  /// The user name `<token>` stands for an identity token in the password's place (docker's helper protocol).
  func withTokenName() -> RegistryCredentials {
    guard username == "<token>" else { return self }
    var credentials = self
    credentials.identityToken = password
    (credentials.username, credentials.password) = ("", "")
    return credentials
  }
}
