package import Core

/// Which traces go where, and how.
package struct TraceSettings: Sendable, Equatable {
  package enum Wire: String, Sendable, CaseIterable {
    case grpc
    case http = "http/protobuf"
  }

  package enum Compression: String, Sendable, CaseIterable { case none, gzip }

  package var endpoint: TraceEndpoint
  package var wire: Wire
  /// Sent along with every request; they may be credentials and are never logged.
  package var headers: [TraceHeader] = []
  package var trust = TraceTrust()
  /// Of requests.
  package var compression = Compression.none
  /// That OTLP over HTTP goes through; `nil` for none.
  package var proxy: ProxySettings.Proxy?
  /// Why nothing can be sent.
  package var obstacle: String?
  /// One attempt.
  package var timeout = Duration.seconds(10)
  package var sampler = Sampler(.all)
  /// What callers say of their traces counts.
  package var takesParents = true
  package var limits = SpanLimits()
  /// Spans that wait to be sent.
  package var capacity = 2048
  /// Spans of one request.
  package var batch = 512
  /// From a span's end until it is sent, where fewer than a batch are there.
  package var delay = Duration.seconds(5)
  /// A batch with all attempts: it is dropped then.
  package var patience = Duration.seconds(30)
  /// Who speaks: `service.name` and the like.
  package var resource: [TraceHeader] = []

  package init(_ endpoint: TraceEndpoint, _ wire: Wire) {
    self.endpoint = endpoint
    self.wire = wire
  }
}

/// A name with its value.
package struct TraceHeader: Sendable, Hashable {
  package var name: String
  package var value: String

  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// Files that say whom to trust and who we are; PEM.
package struct TraceTrust: Sendable, Hashable {
  /// Beside the system's authorities.
  package var authorities: String?
  package var certificate: String?
  package var key: String?

  package init(authorities: String? = nil, certificate: String? = nil, key: String? = nil) {
    (self.authorities, self.certificate, self.key) = (authorities, certificate, key)
  }
}

/// Where a collector listens.
package struct TraceEndpoint: Sendable, Hashable {
  package enum Place: Sendable, Hashable {
    case host(String, port: Int)
    case unix(String)
  }

  package var place: Place
  package var isSecure: Bool
  /// Of OTLP over HTTP; begins with a slash.
  package var path: String

  package init(_ place: Place, isSecure: Bool, path: String = "") {
    (self.place, self.isSecure, self.path) = (place, isSecure, path)
  }

  /// As it goes into `:authority` and messages.
  package var authority: String {
    switch place {
    case .unix: "localhost"
    case .host(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
  }

  package var display: String {
    if case .unix(let path) = place { return "unix://" + path }
    return "\(isSecure ? "https" : "http")://\(authority)\(path)"
  }

  /// `nil` where `text` cannot be an endpoint for `wire`: an http or https address, for gRPC also `host:port` or `unix:///path`.
  /// - Parameter isSecure: whether an address without a scheme is reached by TLS.
  package init?(_ text: String, _ wire: TraceSettings.Wire, isSecure: Bool) {
    if wire == .grpc, text.hasPrefix("unix:///") {
      self.init(.unix(String(text.dropFirst("unix://".count))), isSecure: false)
      return
    }
    let scheme = ["http://", "https://"].first { text.lowercased().hasPrefix($0) }
    guard scheme != nil || wire == .grpc else { return nil }
    let rest = text.dropFirst(scheme?.count ?? 0)
    let authority = rest.prefix { !"/?#".contains($0) }
    let path = rest.dropFirst(authority.count)
    guard let place = HostAndPort(authority), !path.contains("?"), !path.contains("#"), path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else { return nil }
    let isSecure = scheme.map { $0 == "https://" } ?? isSecure
    let standard = wire == .grpc && scheme == nil ? 4317 : isSecure ? 443 : 80
    self.init(.host(place.host, port: place.port ?? standard), isSecure: isSecure, path: wire == .http ? String(path) : "")
  }
}
