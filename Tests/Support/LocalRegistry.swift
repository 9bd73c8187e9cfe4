import CLinux
import Linux
package import OCI

/// Debian's docker-registry on a free loopback port, its content written straight into its storage. Ends with ``withLocalRegistry``.
package struct LocalRegistry: Sendable {
  /// What it asks of its clients.
  package struct Options: Sendable {
    /// Path of an htpasswd file (bcrypt).
    package var htpasswd: String?
    /// Paths of PEM files: the server's certificate and key, and the authority that clients' certificates must be of.
    package var certificate: String?
    package var key: String?
    package var clientAuthority: String?
    /// A token endpoint: realm, service, issuer, and the path of the certificates that its signatures are checked with.
    package var token: (realm: String, service: String, issuer: String, bundle: String)?

    package init() {}
  }

  package let port: Int
  private let storage: String

  /// `127.0.0.1:port`
  package var authority: String { "127.0.0.1:\(port)" }

  fileprivate init(port: Int, storage: String) {
    self.port = port
    self.storage = storage
  }

  /// Stores bytes that a manifest of `repository` names.
  @discardableResult
  package func add(blob: [UInt8], to repository: String) throws -> Digest {
    let digest = try store(blob)
    try link("\(repository)/_layers/sha256/\(digest.hex)/link", digest)
    return digest
  }

  /// Stores a manifest or index, and lets `tag` name it.
  @discardableResult
  package func add(manifest: [UInt8], to repository: String, tag: String? = nil) throws -> Digest {
    let digest = try store(manifest)
    try link("\(repository)/_manifests/revisions/sha256/\(digest.hex)/link", digest)
    guard let tag else { return digest }
    try link("\(repository)/_manifests/tags/\(tag)/current/link", digest)
    try link("\(repository)/_manifests/tags/\(tag)/index/sha256/\(digest.hex)/link", digest)
    return digest
  }

  private var base: String { "\(storage)/docker/registry/v2" }

  private func store(_ bytes: [UInt8]) throws -> Digest {
    let digest = Digest.sha256(of: bytes)
    let directory = "\(base)/blobs/sha256/\(digest.hex.prefix(2))/\(digest.hex)"
    try Files.makeDirectories(directory)
    try Files.write(bytes, to: "\(directory)/data")
    return digest
  }

  private func link(_ path: String, _ digest: Digest) throws {
    let path = "\(base)/repositories/\(path)"
    try Files.makeDirectories(Files.parent(of: path))
    try Files.write("\(digest)", to: path)
  }
}

/// Runs docker-registry while `body` runs. Its log goes with its scratch directory, unless it does not start.
package func withLocalRegistry<T>(
  _ options: LocalRegistry.Options = .init(), isolation: isolated (any Actor)? = #isolation, _ body: (LocalRegistry) async throws -> T
) async throws -> T {
  try await withScratch("registry") { scratch in
    let registry = LocalRegistry(port: try await Loopback.freePort(), storage: "\(scratch)/storage")
    try Files.write(options.configuration(port: registry.port, storage: "\(scratch)/storage"), to: "\(scratch)/config.yml")
    let log = try FileHandle.open("\(scratch)/log", O_WRONLY | O_CREAT)
    let null = try FileHandle.open("/dev/null", O_RDWR)
    let process = try Spawn(
      "/usr/bin/docker-registry", ["serve", "\(scratch)/config.yml"], descriptors: [null.raw, log.raw, log.raw]
    ).start()
    defer {
      kill(process.pid, SIGKILL)
      _ = process.ended(within: -1)
      _ = try? process.reap()
    }
    try await Loopback.waitForListener(registry.port) {
      guard process.ended(within: 0) else { return nil }
      return String(decoding: (try? Files.read("\(scratch)/log")) ?? [], as: UTF8.self)
    }
    return try await body(registry)
  }
}

extension LocalRegistry.Options {
  fileprivate func configuration(port: Int, storage: String) -> String {
    var lines = [
      "version: 0.1", "log:", "  level: error", "  accesslog:", "    disabled: true", "storage:", "  filesystem:",
      "    rootdirectory: \(storage)",
      "http:", "  addr: 127.0.0.1:\(port)",
    ]
    if let certificate, let key { lines += ["  tls:", "    certificate: \(certificate)", "    key: \(key)"] }
    if let clientAuthority { lines += ["    clientcas:", "      - \(clientAuthority)"] }
    if let htpasswd { lines += ["auth:", "  htpasswd:", "    realm: test", "    path: \(htpasswd)"] }
    if let token {
      lines += [
        "auth:", "  token:", "    realm: \(token.realm)", "    service: \(token.service)", "    issuer: \(token.issuer)",
        "    rootcertbundle: \(token.bundle)",
      ]
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
