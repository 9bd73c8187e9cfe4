import AsyncHTTPClient
import Core
import Linux
import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization

/// The HTTP clients: one for every dial timeout and proxy in use, which is one. Connections are pooled by host and TLS settings.
///
/// HTTP/1.1 only, on purpose. A layer has a connection of its own, and what its reader does not take stays in the kernel; over HTTP/2 the client library
/// lets every stream buffer 8 MiB in memory, and one TCP connection carries all layers.
final class Connections: Sendable {
  private struct Trust: Hashable {
    let tls: RegistryHost.TLS
    let name: NameCheck
    let versions: [Files.Version?]
  }

  struct Kind: Hashable {
    let dialTimeout: Duration
    let proxy: ProxySettings.Proxy?
    /// By ``ProxyDoor``: the proxy is reached by TLS, or the target is an IPv6 address, which the HTTP client would name without its brackets.
    let needsDoor: Bool

    init(dialTimeout: Duration, proxy: ProxySettings.Proxy?, target: WebAddress) {
      (self.dialTimeout, self.proxy) = (dialTimeout, proxy)
      needsDoor = proxy?.kind == .https || (proxy?.kind == .http && target.authority.hasPrefix("["))
    }
  }

  /// Who compares a host with its certificate's names.
  private enum NameCheck {
    /// The TLS library first, which knows what it is connected to, then ``PeerCheck``.
    case both
    /// Only ``PeerCheck``: what the TLS library is connected to is a proxy.
    case own
  }

  let group: any EventLoopGroup
  let unread = UnreadBodies()
  let proxies: ProxySettings
  private let clients = Mutex<[Kind: HTTPClient]?>([:])
  private let doors: ProxyDoors
  private let trust = Mutex<[Trust: TLSConfiguration]>([:])
  private let authorities: [String]
  let dialTimeout: Duration

  /// - Parameter environment: for its proxies and, as other programs take it, `SSL_CERT_FILE` with authorities to trust beside the system's.
  init(group: any EventLoopGroup, environment: [String], dialTimeout: Duration) {
    self.group = group
    self.dialTimeout = dialTimeout
    proxies = ProxySettings(environment: environment)
    authorities = environment.filter { $0.hasPrefix("SSL_CERT_FILE=") }.map { String($0.dropFirst(14)) }.filter(Files.exists)
    doors = ProxyDoors(group: group, authorities: authorities)
  }

  /// For a request to `address` on behalf of `host`. UNAVAILABLE after shutdown.
  func client(for host: RegistryHost, to address: WebAddress) async throws(Fault) -> HTTPClient {
    let kind = Kind(dialTimeout: host.dialTimeout ?? dialTimeout, proxy: try proxies.proxy(for: address), target: address)
    let door = try await doors.door(for: kind)
    let client = clients.withLock { clients -> HTTPClient? in
      if clients == nil { return nil }
      if let known = clients?[kind] { return known }
      let made = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration(kind, door))
      clients?[kind] = made
      return made
    }
    guard let client else { throw Fault(.unavailable, "the registry client is shut down") }
    return client
  }

  /// `http://proxy.example:3128`; empty where `address` is asked directly.
  func proxyName(for address: WebAddress) throws(Fault) -> String {
    try proxies.proxy(for: address)?.display ?? ""
  }

  /// Why the connection for `address` could not be made, where a door knows more than the client.
  func failure(of host: RegistryHost, to address: WebAddress) async -> Fault? {
    guard let proxy = try? proxies.proxy(for: address), let target = TunnelTarget(address) else { return nil }
    return await doors.failure(of: Kind(dialTimeout: host.dialTimeout ?? dialTimeout, proxy: proxy, target: address), to: target)
  }

  func shutdown() async throws {
    let all = clients.withLock { clients in
      defer { clients = nil }
      return clients.map { Array($0.values) } ?? []
    }
    for client in all { try await client.shutdown() }
    await doors.close()
  }

  private func configuration(_ kind: Kind, _ door: ProxyDoor?) -> HTTPClient.Configuration {
    var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
    configuration.proxy = kind.proxy.map { HTTPClient.Configuration.Proxy($0, door) }
    configuration.httpVersion = .http1Only
    configuration.timeout.connect = TimeAmount(kind.dialTimeout)
    configuration.connectionPool.idleTimeout = .seconds(15)
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.http1_1ConnectionDebugInitializer = { [unread] channel in
      channel.setOption(.recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 4 << 10, initial: 64 << 10, maximum: 256 << 10))
        .flatMap { LastBytes.add(to: channel, unread) }
    }
    return configuration
  }
}

extension Connections {
  /// Makes `request` one that only `address` can read, by the settings of `host`, on whose behalf it is. The client's certificate is shown to `host`
  /// only, its authorities are trusted for where it redirects to as well. FAILED_PRECONDITION where a file cannot be used.
  func secure(_ request: inout HTTPClientRequest, to address: WebAddress, of host: RegistryHost, itself: Bool) throws(Fault) {
    guard address.scheme == .https, let place = HostAndPort(address.authority) else { return }
    let isTunnel = try proxies.proxy(for: address) != nil
    request.tlsConfiguration = try tls(for: host, itself: itself, isTunnel && IPAddress(place.host) != nil ? .own : .both)
    request.headers.replaceOrAdd(name: PeerCheck.header, value: host.tls.skipVerify ? PeerCheck.anybody : place.host)
  }

  /// `nil` for the defaults.
  private func tls(for host: RegistryHost, itself: Bool, _ name: NameCheck) throws(Fault) -> TLSConfiguration? {
    var wanted = host.tls
    if !itself { wanted.clients = [] }
    wanted.authorities += authorities
    if wanted == RegistryHost.TLS(), name == .both { return nil }
    let files = wanted.authorities + wanted.clients.flatMap { [$0.certificate, $0.key ?? $0.certificate] }
    let key = Trust(tls: wanted, name: name, versions: files.map(Files.version))
    if let known = trust.withLock({ $0[key] }) { return known }
    let made = try Self.configuration(wanted, name)
    trust.withLock { known in
      if known.count >= 64 { known.removeAll() }
      known[key] = made
    }
    return made
  }

  private static func configuration(_ tls: RegistryHost.TLS, _ name: NameCheck) throws(Fault) -> TLSConfiguration {
    var configuration = try configuration(trusting: tls.authorities)
    if name == .own { configuration.certificateVerification = .noHostnameVerification }
    if tls.skipVerify { configuration.certificateVerification = .none }
    if let client = tls.clients.first {
      let chain: [NIOSSLCertificate] = try load("client certificate", client.certificate) {
        try NIOSSLCertificate.fromPEMFile(client.certificate)
      }
      let file = client.key ?? client.certificate
      configuration.certificateChain = chain.map { .certificate($0) }
      configuration.privateKey = .privateKey(try load("client key", file) { try NIOSSLPrivateKey(file: file, format: .pem) })
    }
    return configuration
  }

  /// - Parameter files: PEM, of authorities beside the system's.
  static func configuration(trusting files: [String]) throws(Fault) -> TLSConfiguration {
    var configuration = TLSConfiguration.makeClientConfiguration()
    var authorities: [NIOSSLCertificate] = []
    for file in files { authorities += try load("certificate authority", file) { try NIOSSLCertificate.fromPEMFile(file) } }
    if !authorities.isEmpty { configuration.additionalTrustRoots = [.certificates(authorities)] }
    return configuration
  }

  private static func load<T>(_ what: String, _ file: String, _ body: () throws -> T) throws(Fault) -> T {
    do { return try body() } catch {
      let reason = Files.exists(file) ? "not usable as PEM (\(error))" : "no such file"
      throw Fault(.failedPrecondition, "registry \(what) \(file): \(reason)", cause: error)
    }
  }
}
