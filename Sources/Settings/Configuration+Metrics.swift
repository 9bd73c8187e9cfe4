package import Core

extension Configuration {
  /// `[metrics]`: Prometheus metrics of the daemon.
  package struct MetricsEndpoint: Equatable, Sendable {
    /// `127.0.0.1:9477`, `[::1]:9477`, or `unix:///run/berth/metrics.sock`; `nil` serves none.
    package var address: String?
    /// Key `socket`: a Unix socket's path, beside or instead of the address.
    package var socket: String?
    /// Keys `tls_cert` and `tls_key`: paths of PEM files; without both it is plain HTTP.
    package var tlsCertificate: String?
    package var tlsKey: String?
    /// Key `tls_client_ca`: where set, clients need a certificate of these authorities.
    package var tlsClientCA: String?
    /// What is told: names of ``Collector``, or `all` alone.
    package var collectors = ["all"]
    /// Key `containers`: also what the kernel counts of each container's cgroup, by containerd's names.
    package var containers = false

    /// What ``collectors`` names.
    package var chosen: Set<Collector> {
      collectors == ["all"] ? Set(Collector.allCases) : Set(collectors.compactMap(Collector.init(rawValue:)))
    }

    /// An address and its port; `nil` for a Unix socket.
    package var place: (host: String, port: Int)? {
      guard let place = address.flatMap({ HostAndPort($0) }), let port = place.port else { return nil }
      return (place.host, port)
    }

    /// Absolute paths of Unix sockets.
    package var socketPaths: [String] { [address.flatMap { Self.path($0) }, socket].compactMap { $0 } }

    private static func path(_ address: String) -> String? {
      address.hasPrefix("unix:///") ? String(address.dropFirst("unix://".count)) : nil
    }

    mutating func apply(_ table: inout TableReader) throws(SettingsError) {
      try table.set(&address, "address", check: Self.problem)
      try table.set(&socket, "socket", check: Check.socket)
      try table.set(&tlsCertificate, "tls_cert", check: Check.absolute)
      try table.set(&tlsKey, "tls_key", check: Check.absolute)
      try table.set(&tlsClientCA, "tls_client_ca", check: Check.absolute)
      try table.set(&collectors, "collectors", check: Check.groups(Collector.allCases.map(\.rawValue)))
      try table.set(&containers, "containers")
    }

    private static func problem(_ text: String) -> String? {
      var endpoint = MetricsEndpoint()
      endpoint.address = text
      if let path = path(text) { return Check.socket(path) }
      if let place = endpoint.place { return Check.ipAddress(place.host) }
      return "must be an address and a port, or unix:// and a path: \"\(text)\""
    }
  }
}
