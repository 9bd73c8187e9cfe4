package import Core

/// A `hosts.toml` as containerd reads it (docs/hosts.md): the mirrors in the order of the text, then the registry itself.
/// Keys that nobody knows are kept apart, not refused: the file may be shared with another runtime.
package struct HostsFile: Equatable, Sendable {
  package var hosts: [RegistryHost] = []
  /// `host.https://mirror.capabilites`: keys that mean nothing here.
  package var unknownKeys: [String] = []
  /// Of each host, what its table `credentials` says.
  var credentials: [HostCredentials?] = []

  /// `domain` is the registry it configures; `directory`, what relative paths in it start from.
  package init(_ bytes: [UInt8], file: String, directory: String, domain: String) throws(SettingsError) {
    let document = try Document(bytes, file: file)
    var table = document.root
    var hosts: [RegistryHost] = []
    var unknown: [String] = []
    var credentials: [HostCredentials?] = []
    let absolute = { (path: String) in path.hasPrefix("/") ? path : "\(directory)/\(path)" }
    try table.within("host") { (tables) throws(SettingsError) in
      try tables.eachTable { (name, table) throws(SettingsError) in
        var host = try RegistryHost(mirror: name, &table)
        try host.apply(&table, directory)
        hosts.append(host)
        credentials.append(try HostCredentials(&table, absolute))
        unknown += table.ignoreRest().map { "host.\(name).\($0)" }
      }
    }
    let namesServer = table.rest.contains("server")
    if !namesServer, table.rest.contains("capabilities") { unknown.append("capabilities (without server)") }
    hosts.append(try RegistryHost(serverOf: domain, &table, directory))
    let own = try HostCredentials(&table, absolute)
    if own?.isForAnyHost == true, !namesServer, directory.hasSuffix("/_default") {
      throw table.error("credentials", "would be sent to every registry there is: only helper and auth_file may stand in _default")
    }
    credentials.append(own)
    unknown += table.ignoreRest()
    self.hosts = hosts
    self.unknownKeys = unknown
    self.credentials = credentials
  }
}

extension RegistryHost {
  fileprivate init(mirror name: String, _ table: inout TableReader) throws(SettingsError) {
    let overridesPath = try table.take("override_path") ?? false
    guard let address = HostAddress(name) else { throw table.error("is not an http or https address") }
    self.init(address, overridesPath: overridesPath)
  }

  fileprivate init(serverOf domain: String, _ table: inout TableReader, _ directory: String) throws(SettingsError) {
    let overridesPath = try table.take("override_path") ?? false
    let server: String? = try table.take("server")
    let isNamed = server?.isEmpty == false
    if let server, isNamed {
      guard let address = HostAddress(server) else { throw table.error("server", "is not an http or https address: \"\(server)\"") }
      self.init(address, overridesPath: overridesPath)
    } else {
      self = .server(of: domain)
    }
    isServer = true
    try apply(&table, directory)
    // As containerd: the registry that nobody named may be asked everything.
    if !isNamed { capabilities = .all }
  }

  private init(_ address: HostAddress, overridesPath: Bool) {
    self.init(scheme: address.scheme, authority: address.authority)
    apiPath = address.path
    if !overridesPath, !apiPath.hasSuffix("/v2") { apiPath += "/v2" }
  }

  fileprivate mutating func apply(_ table: inout TableReader, _ directory: String) throws(SettingsError) {
    if let names: [String] = try table.take("capabilities"), !names.isEmpty { capabilities = try Self.capabilities(names, table) }
    if let files = try table.takeOneOrMany("ca") { tls.authorities = files.map { absolute($0, directory) } }
    tls.clients = try table.takePairs("client").map {
      .init(certificate: absolute($0.first, directory), key: $0.second.map { absolute($0, directory) })
    }
    try table.set(&tls.skipVerify, "skip_verify")
    if let text: String = try table.take("dial_timeout") {
      guard let timeout = Duration(goSyntax: text) else { throw table.error("dial_timeout", "is not a duration like \"3s\": \"\(text)\"") }
      dialTimeout = timeout
    }
    try table.within("header") { (table) throws(SettingsError) in
      for name in table.rest {
        headers += try table.takeOneOrMany(name, check: Self.headerProblem(name))?.map { Header(name: name, value: $0) } ?? []
      }
    }
  }

  private static func capabilities(_ names: [String], _ table: TableReader) throws(SettingsError) -> Capabilities {
    var capabilities: Capabilities = []
    for name in names {
      switch name.lowercased() {
      case "pull": capabilities.insert(.pull)
      case "resolve": capabilities.insert(.resolve)
      case "push": capabilities.insert(.push)
      case "referrers": break
      default: throw table.error("capabilities", "has an unknown capability \"\(name)\" (known: pull, resolve, push, referrers)")
      }
    }
    return capabilities
  }

  /// A header must not be able to end its line, or to be anything but a header.
  private static func headerProblem(_ name: String) -> (String) -> String? {
    { value in
      let good = !name.isEmpty && name.utf8.allSatisfy { (33...126).contains($0) && !"()<>@,;:\\\"/[]?={}".utf8.contains($0) }
      return good && value.utf8.allSatisfy { $0 >= 32 && $0 != 127 || $0 == 9 } ? nil : "is not a valid header"
    }
  }

  private func absolute(_ path: String, _ directory: String) -> String { path.hasPrefix("/") ? path : "\(directory)/\(path)" }
}
