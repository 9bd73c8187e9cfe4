import Core

/// The table `credentials` of a host in `hosts.toml`: Berth's own, ignored by containerd.
///
/// One of: `username` with `password` or `password_file`; `identity_token_file`; `registry_token_file`; `helper`; `auth_file`.
struct HostCredentials: Equatable, Sendable {
  enum Kind: Equatable, Sendable {
    case password(user: String, password: String)
    case passwordFile(user: String, path: String)
    case identityTokenFile(String)
    case registryTokenFile(String)
    case helper(String)
    case authFile(String)
  }

  let kind: Kind

  /// `nil` without the table. `absolute` resolves paths against the file's directory.
  init?(_ table: inout TableReader, _ absolute: (String) -> String) throws(SettingsError) {
    var found: Kind?
    try table.within("credentials") { (table) throws(SettingsError) in
      let kinds = try Self.kinds(&table, absolute)
      guard kinds.count == 1 else {
        throw table.error(
          "needs one of: username with password or password_file, identity_token_file, registry_token_file, helper, auth_file")
      }
      found = kinds[0]
    }
    guard let found else { return nil }
    kind = found
  }

  private static func kinds(_ table: inout TableReader, _ absolute: (String) -> String) throws(SettingsError) -> [Kind] {
    var kinds: [Kind] = []
    let user: String? = try table.take("username") { $0.contains(":") ? "must not have a colon" : nil }
    if let password: String = try table.take("password") { kinds.append(.password(user: user ?? "", password: password)) }
    if let path: String = try table.take("password_file") { kinds.append(.passwordFile(user: user ?? "", path: absolute(path))) }
    if let path: String = try table.take("identity_token_file") { kinds.append(.identityTokenFile(absolute(path))) }
    if let path: String = try table.take("registry_token_file") { kinds.append(.registryTokenFile(absolute(path))) }
    let isHelper: (String) -> String? = {
      $0.hasPrefix("/") || CredentialHelper.isName($0) ? nil : "must be a helper's name or absolute path: \"\($0)\""
    }
    if let program: String = try table.take("helper", check: isHelper) { kinds.append(.helper(program)) }
    if let path: String = try table.take("auth_file") { kinds.append(.authFile(absolute(path))) }
    let needsUser = kinds.contains { if case .password = $0 { true } else if case .passwordFile = $0 { true } else { false } }
    return needsUser == (user != nil) ? kinds : []
  }

  /// A secret that goes to whichever host it is configured for; a helper and a file of credentials choose by the host.
  var isForAnyHost: Bool {
    switch kind {
    case .helper, .authFile: false
    case .password, .passwordFile, .identityTokenFile, .registryTokenFile: true
    }
  }

  /// Files of secrets are read anew each time.
  func identities(at authority: String, from file: String, _ files: CredentialFiles) -> [ScopedIdentity] {
    var credentials = RegistryCredentials()
    do {
      switch kind {
      case .helper(let program):
        let server = DockerConfig.helperServer(RegistryAddress(authority).authority)
        return [ScopedIdentity(.helper(CredentialHelper(program, server: server, from: file)))]
      case .authFile(let path): return files.identities(at: authority, in: path)
      case .password(let user, let password): (credentials.username, credentials.password) = (user, password)
      case .passwordFile(let user, let path): (credentials.username, credentials.password) = (user, try files.secret(path))
      case .identityTokenFile(let path): credentials.identityToken = try files.secret(path)
      case .registryTokenFile(let path): credentials.registryToken = try files.secret(path)
      }
    } catch { return [ScopedIdentity(.unusable("\(file): \(Fault(error).message)"))] }
    return [ScopedIdentity(.credentials(credentials, from: file))]
  }
}
