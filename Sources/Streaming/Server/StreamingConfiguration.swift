/// Where and how the streaming server listens.
package struct StreamingConfiguration: Sendable {
  /// Certificate and key, and who may come.
  package struct TLS: Sendable, Hashable {
    package enum Version: String, Sendable, CaseIterable {
      case v12 = "1.2"
      case v13 = "1.3"
    }

    /// Paths of PEM files; read again when they have changed.
    package var certificate: String
    package var key: String
    /// Where set, clients must have a certificate of these authorities.
    package var clientCA: String?
    package var minimumVersion: Version

    package init(certificate: String, key: String, clientCA: String? = nil, minimumVersion: Version = .v12) {
      self.certificate = certificate
      self.key = key
      self.clientCA = clientCA
      self.minimumVersion = minimumVersion
    }
  }

  /// A literal address.
  package var address = "127.0.0.1"
  /// 0 for any.
  package var port = 0
  package var tls: TLS?
  package var threads = 2
  package var limits = ServerLimits()

  package init() {}

  /// The beginning of URLs. Who listens on all addresses is reached on the loopback: the kubelet is on this node.
  func base(port: Int) -> String {
    let host =
      switch address {
      case "0.0.0.0": "127.0.0.1"
      case "::": "[::1]"
      default: address.contains(":") ? "[\(address)]" : address
      }
    return "\(tls == nil ? "http" : "https")://\(host):\(port)"
  }
}
