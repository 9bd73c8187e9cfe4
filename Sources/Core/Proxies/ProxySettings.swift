import FoundationEssentials

/// Which proxy a request goes through: `HTTPS_PROXY` for https, `HTTP_PROXY` for http, nothing for what `NO_PROXY` names.
/// Each may be in lower case too. A proxy makes a tunnel (CONNECT), for http as well: what it sees is the server's name only.
package struct ProxySettings: Sendable {
  /// One proxy, as a connection needs it.
  package struct Proxy: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable { case http, https, socks = "socks5" }
    package var kind: Kind
    package var host: String
    package var port: Int
    /// Value of `Proxy-Authorization` without the scheme: base64 of user and password.
    package var basic: String?

    package init(kind: Kind, host: String, port: Int, basic: String? = nil) {
      (self.kind, self.host, self.port, self.basic) = (kind, host, port, basic)
    }

    /// Without credentials.
    package var display: String { "\(kind.rawValue)://\(host.contains(":") ? "[\(host)]" : host):\(port)" }
  }

  /// Why a variable cannot be used is told when it is needed: a node without any pull must not fail for it.
  private enum Setting: Sendable {
    case none
    case proxy(Proxy)
    case unusable(Fault)
  }

  private let http: Setting
  private let https: Setting
  private let exceptions: ProxyExceptions

  /// - Parameter environment: `NAME=value` each.
  package init(environment: [String]) {
    var values: [String: String] = [:]
    for entry in environment {
      guard let equals = entry.firstIndex(of: "=") else { continue }
      values[String(entry[..<equals])] = String(entry[entry.index(after: equals)...])
    }
    func value(_ name: String) -> String { [values[name], values[name.lowercased()]].compactMap { $0 }.first { !$0.isEmpty } ?? "" }
    http = Self.setting("HTTP_PROXY", value("HTTP_PROXY"))
    https = Self.setting("HTTPS_PROXY", value("HTTPS_PROXY"))
    exceptions = ProxyExceptions(value("NO_PROXY"))
  }

  /// `nil` where the server is asked directly. FAILED_PRECONDITION where the variable makes no sense.
  /// - Parameter host: without brackets.
  package func proxy(isSecure: Bool, host: String, port: Int) throws(Fault) -> Proxy? {
    let setting = isSecure ? https : http
    if case .none = setting { return nil }
    if exceptions.contain(host, port: port) { return nil }
    switch setting {
    case .none: return nil
    case .proxy(let proxy): return proxy
    case .unusable(let fault): throw fault
    }
  }
}

/// Reading a variable's value.
extension ProxySettings {
  private static func setting(_ name: String, _ value: String) -> Setting {
    if value.isEmpty { return .none }
    do { return .proxy(try parse(value)) } catch {
      return .unusable(Fault(.failedPrecondition, "environment variable \(name): \(error.message)"))
    }
  }

  /// `[http[s]://][user:password@]host[:port]`; messages never show what may hold a password.
  private static func parse(_ value: String) throws(Fault) -> Proxy {
    let scheme = value.ranges(of: "://").first.map { value[..<$0.lowerBound].lowercased() } ?? "http"
    let rest = value.ranges(of: "://").first.map { value[$0.upperBound...] } ?? value[...]
    let kinds: [String: (Proxy.Kind, Int)] = [
      "http": (.http, 80), "https": (.https, 443), "socks5": (.socks, 1080), "socks5h": (.socks, 1080),
    ]
    guard let (kind, port) = kinds[scheme] else {
      throw Fault(
        .failedPrecondition, "a proxy reached by \"\(Excerpt.of(scheme, limit: 20))\" is not supported: http, https and socks5 are")
    }
    let whole = rest.prefix { !"/?#".contains($0) }
    let at = whole.lastIndex(of: "@")
    let authority = at.map { whole[whole.index(after: $0)...] } ?? whole
    guard let place = HostAndPort(authority) else { throw Fault(.failedPrecondition, "it names no host") }
    let user = at.map { whole[..<$0] }
    if kind == .socks, user != nil { throw Fault(.failedPrecondition, "a socks5 proxy that wants a password is not supported") }
    return Proxy(kind: kind, host: place.host, port: place.port ?? port, basic: user.map(basic))
  }

  private static func basic(_ user: Substring) -> String {
    let parts = user.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map { PercentEscapes.decode($0).bytes }
    let bytes = parts[0] + [UInt8(ascii: ":")] + (parts.count > 1 ? parts[1] : [])
    return Data(bytes).base64EncodedString()
  }
}
