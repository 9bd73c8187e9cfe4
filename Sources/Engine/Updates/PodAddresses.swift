import Core
import Linux
import Synchronization

/// The pod network that the kubelet told of, kept over restarts for whoever makes network configurations from it.
package final class PodAddresses: Sendable {
  private let path: String
  private let current: Mutex<[String]>

  /// - Parameter root: the daemon's root directory.
  package init(root: String) {
    path = root + "/pod-cidr"
    let text = (try? Files.read(path, limit: 4096)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    current = Mutex(text.split(separator: "\n").map(String.init))
  }

  /// Each of one address family, `10.1.0.0/24`; empty until the kubelet told.
  package var ranges: [String] { current.withLock { $0 } }

  /// `text` is one range or several with commas. INVALID_ARGUMENT for what is none. True where they are new.
  @discardableResult
  package func set(_ text: String) throws -> Bool {
    let ranges = text.split(separator: ",", omittingEmptySubsequences: false).map { $0.filter { $0 != " " } }
    for range in ranges where !AddressRange.isValid(range) {
      throw Fault(
        .invalidArgument, "runtime_config.network_config.pod_cidr: \"\(range.prefix(100))\" is no address range as 10.1.0.0/24")
    }
    guard ranges != self.ranges else { return false }
    try Files.replace(path, with: Array(ranges.joined(separator: "\n").utf8), durable: true)
    current.withLock { $0 = ranges }
    return true
  }
}

enum AddressRange {
  /// An IPv4 or IPv6 address, a slash and a length.
  static func isValid(_ text: String) -> Bool {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let length = UInt8(parts[1]), parts[1].allSatisfy(\.isNumber) else { return false }
    if parts[0].contains(":") { return length <= 128 && isIPv6(parts[0]) }
    return length <= 32 && isIPv4(parts[0])
  }

  private static func isIPv4(_ text: Substring) -> Bool {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts.allSatisfy { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } && UInt8($0) != nil }
  }

  /// Groups of up to four hexadecimal digits, at most one gap (RFC 4291, 2.2); no embedded IPv4 address.
  private static func isIPv6(_ text: Substring) -> Bool {
    let halves = text.split(separator: "::", omittingEmptySubsequences: false)
    guard halves.count <= 2 else { return false }
    let groups = halves.flatMap { $0.isEmpty ? [] : $0.split(separator: ":", omittingEmptySubsequences: false) }
    let fits = halves.count == 2 ? groups.count < 8 : groups.count == 8
    return fits && groups.allSatisfy { (1...4).contains($0.utf8.count) && UInt16($0, radix: 16) != nil && !$0.hasPrefix("+") }
  }
}
