package import Core
import Linux
import Synchronization

/// containerd's `certs.d` layout: `<root>/<host>/hosts.toml`, looked up for every pull, parsed again only where a file changed.
///
/// In each root, in order, the first of `<host>_<port>_`, `<host>:<port>` (or `<host>`) and `_default` that exists counts. A directory without a
/// `hosts.toml` may hold certificates as Docker has them: `*.crt` authorities, `*.cert` with `*.key` beside it.
package final class HostsDirectory: RegistryHostsResolver {
  private struct Parsed {
    let version: Files.Version
    let file: HostsFile
  }
  private struct Key: Hashable {
    let path: String
    let domain: String
  }

  private let roots: [String]
  private let authFile: String?
  private let files = CredentialFiles()
  private let warn: @Sendable (String) -> Void
  private let cache = Mutex<[Key: Parsed]>([:])

  /// - Parameters:
  ///   - authFile: a docker `config.json` with the node's credentials for hosts whose `hosts.toml` says none.
  ///   - warn: hears of keys that mean nothing here, once per version of a file.
  package init(roots: [String], authFile: String? = nil, warn: @escaping @Sendable (String) -> Void = { _ in }) {
    self.roots = roots
    self.authFile = authFile
    self.warn = warn
  }

  package func hosts(for domain: String) throws -> [RegistryHost] {
    guard HostAndPort(domain) != nil, !domain.hasPrefix(".") else {
      throw Fault(.invalidArgument, "not a registry's host: \"\(domain)\"")
    }
    guard let directory = roots.lazy.compactMap({ self.directory(in: $0, for: domain) }).first else {
      return [identified(.server(of: domain), domain)]
    }
    let path = directory + "/hosts.toml"
    guard let version = Files.version(path), version.size > 0 else {
      return [identified(try dockerCertificates(directory, .server(of: domain)), domain)]
    }
    let file = try parsed(path, version, directory, domain)
    return zip(file.hosts, file.credentials).map { host, credentials in
      guard let credentials else { return identified(host, domain) }
      var host = host
      host.identities = credentials.identities(at: host.authority, from: path, files)
      return host
    }
  }

  /// With what the node's file of credentials has for the host; for the registry itself by the image's name, too.
  private func identified(_ host: RegistryHost, _ domain: String) -> RegistryHost {
    guard let authFile else { return host }
    var host = host
    host.identities = files.identities(at: host.authority, in: authFile)
    if host.identities.isEmpty, host.isServer { host.identities = files.identities(at: domain, in: authFile) }
    return host
  }

  private func directory(in root: String, for domain: String) -> String? {
    var names = [domain, "_default"]
    if let colon = domain.lastIndex(of: ":"), colon != domain.startIndex, !domain.hasSuffix("]") {
      names.insert("\(domain[..<colon])_\(domain[domain.index(after: colon)...])_", at: 0)
    }
    return names.map { "\(root)/\($0)" }.first(where: Files.isDirectory)
  }

  private func parsed(_ path: String, _ version: Files.Version, _ directory: String, _ domain: String) throws -> HostsFile {
    let key = Key(path: path, domain: domain)
    if let known = cache.withLock({ $0[key] }), known.version == version { return known.file }
    let file = try HostsFile(Files.read(path, limit: Document.maximumSize), file: path, directory: directory, domain: domain)
    for unknown in file.unknownKeys { warn("\(path): key \"\(unknown)\" is not known and ignored") }
    cache.withLock { cache in
      if cache.count >= 256 { cache.removeAll() }
      cache[key] = Parsed(version: version, file: file)
    }
    return file
  }

  private func dockerCertificates(_ directory: String, _ server: RegistryHost) throws -> RegistryHost {
    var host = server
    let names = try Files.list(directory)
    host.tls.authorities = names.filter { $0.hasSuffix(".crt") }.map { "\(directory)/\($0)" }
    for name in names where name.hasSuffix(".cert") {
      let key = name.dropLast(".cert".count) + ".key"
      guard names.contains(String(key)) else { throw SettingsError("\(directory)/\(name)", "has no key \(key) beside it") }
      host.tls.clients.append(.init(certificate: "\(directory)/\(name)", key: "\(directory)/\(key)"))
    }
    return host
  }
}
