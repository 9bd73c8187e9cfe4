import Core
import NIOCore
import NIOSSL

/// Whom a certificate is for: its alternative names (RFC 6125, without the common name, which says no such thing any more).
struct CertificateNames {
  private var names: [String] = []
  private var addresses: [IPAddress] = []
  /// For messages.
  private(set) var display: [String] = []

  init(_ certificate: NIOSSLCertificate) {
    for name in certificate._subjectAlternativeNames() {
      switch name.nameType {
      case .dnsName: add(name: String(decoding: name.contents, as: UTF8.self))
      case .ipAddress: add(address: Array(name.contents))
      default: continue
      }
    }
  }

  private mutating func add(name: String) {
    names.append(name.lowercased())
    display.append(Excerpt.of(name, limit: 100))
  }

  private mutating func add(address bytes: [UInt8]) {
    guard let text = (try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes), port: 0))?.ipAddress, let address = IPAddress(text)
    else { return }
    addresses.append(address)
    display.append(text)
  }

  /// An address is one of the addresses, a name one of the names, never the one by way of the other: what a name leads to is the resolver's word.
  /// - Parameter host: without brackets.
  func contain(_ host: String) -> Bool {
    if let address = IPAddress(host) { return addresses.contains(address) }
    let host = Self.bare(host.lowercased())
    return names.contains { Self.matches(Self.bare($0), host) }
  }

  private static func bare(_ name: String) -> Substring { name.hasSuffix(".") ? name.dropLast() : name[...] }

  /// A star stands for one whole label, the first.
  private static func matches(_ name: Substring, _ host: Substring) -> Bool {
    if name.hasPrefix("*.") { return host.firstIndex(of: ".").map { $0 > host.startIndex && host[$0...] == name.dropFirst() } ?? false }
    return name == host
  }
}
