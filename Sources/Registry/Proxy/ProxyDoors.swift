import AsyncHTTPClient
import Core
import NIOCore
import NIOSSL

/// The doors to proxies, each opened when it is first needed.
actor ProxyDoors {
  private typealias Opening = Task<(door: ProxyDoor, serving: Task<Void, Never>), any Error>

  private let group: any EventLoopGroup
  /// PEM files of authorities to trust beside the system's.
  private let authorities: [String]
  /// `nil` after ``close()``.
  private var doors: [Connections.Kind: Opening]? = [:]

  init(group: any EventLoopGroup, authorities: [String]) {
    self.group = group
    self.authorities = authorities
  }

  /// `nil` where none is needed.
  nonisolated func door(for kind: Connections.Kind) async throws(Fault) -> ProxyDoor? {
    guard let proxy = kind.proxy, kind.needsDoor else { return nil }
    return try await door(for: kind, proxy)
  }

  private func door(for kind: Connections.Kind, _ proxy: ProxySettings.Proxy) async throws(Fault) -> ProxyDoor {
    guard let opening = doors?[kind] ?? open(kind, proxy) else { throw Fault(.unavailable, "the registry client is shut down") }
    do { return try await opening.value.door } catch {
      doors?[kind] = nil
      throw Fault(.unavailable, "the way to \(proxy.display): \(Fault(error).message)", cause: error)
    }
  }

  private func open(_ kind: Connections.Kind, _ proxy: ProxySettings.Proxy) -> Opening? {
    if doors == nil { return nil }
    let opening = Opening { [group, authorities] in
      let tls = proxy.kind == .https ? try NIOSSLContext(configuration: Connections.configuration(trusting: authorities)) : nil
      return try await ProxyDoor.open(to: ProxyDialer(group: group, proxy: proxy, tls: tls, timeout: kind.dialTimeout * 9 / 10))
    }
    doors?[kind] = opening
    return opening
  }

  /// Why there was no tunnel to `target` the last time.
  func failure(of kind: Connections.Kind, to target: TunnelTarget) async -> Fault? {
    try? await doors?[kind]?.value.door.failure(to: target)
  }

  func close() async {
    let all = doors?.values
    doors = nil
    for opening in all.map(Array.init) ?? [] {
      guard let serving = try? await opening.value.serving else { continue }
      serving.cancel()
      await serving.value
    }
  }
}

extension HTTPClient.Configuration.Proxy {
  init(_ proxy: ProxySettings.Proxy, _ door: ProxyDoor?) {
    if let door {
      self = .server(host: "127.0.0.1", port: door.port, authorization: .basic(credentials: door.secret))
    } else if proxy.kind == .socks {
      self = .socksServer(host: proxy.host, port: proxy.port)
    } else {
      self = .server(host: proxy.host, port: proxy.port, authorization: proxy.basic.map { .basic(credentials: $0) })
    }
  }
}
