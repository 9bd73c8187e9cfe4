package import Core
import Linux
import Synchronization

/// Reads files of credentials; each is parsed again only where it changed.
package final class CredentialFiles: Sendable {
  private struct Parsed {
    let version: Files.Version
    let config: DockerConfig
  }

  private let cache = Mutex<[String: Parsed]>([:])

  package init() {}

  /// Who one is at `authority`, by the docker `config.json` at `path`. Why it cannot be used is told to who needs it.
  package func identities(at authority: String, in path: String) -> [ScopedIdentity] {
    do { return try config(path).identities(at: authority) } catch { return [ScopedIdentity(.unusable(Fault(error).message))] }
  }

  package func config(_ path: String) throws -> DockerConfig {
    guard let version = Files.version(path) else { throw SettingsError(path, "no such file") }
    if let known = cache.withLock({ $0[path] }), known.version == version { return known.config }
    let config = try DockerConfig(try read(path), file: path)
    cache.withLock { cache in
      if cache.count >= 64 { cache.removeAll() }
      cache[path] = Parsed(version: version, config: config)
    }
    return config
  }

  /// A password or token: the first line of a file.
  func secret(_ path: String) throws -> String {
    let bytes = try read(path)
    let line = bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
    guard let text = String(validating: line, as: UTF8.self), !text.isEmpty else {
      throw SettingsError(path, "holds no secret in its first line")
    }
    return text
  }

  private func read(_ path: String) throws -> [UInt8] {
    do { return try Files.read(path, limit: DockerConfig.maximumSize) } catch { throw SettingsError(path, "\(error)") }
  }
}
