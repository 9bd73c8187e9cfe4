/// Where a session is to be had: the URL that berthd answered, taken apart.
struct StreamAddress: Equatable {
  /// Without brackets.
  let host: String
  let port: Int
  let path: String
  let isSecure: Bool

  /// As an HTTP request names it.
  var authority: String { (host.contains(":") ? "[\(host)]" : host) + ":\(port)" }

  /// `http://127.0.0.1:40123/exec/TOKEN`
  init(_ url: String) throws {
    let failure = Failure("berthd answered with an address that is none: \(url)")
    guard let scheme = ["http", "https"].first(where: { url.hasPrefix($0 + "://") }) else { throw failure }
    let rest = url.dropFirst(scheme.count + 3)
    guard let slash = rest.firstIndex(of: "/") else { throw failure }
    let place = rest[..<slash]
    guard let colon = place.lastIndex(of: ":"), let port = Int(place[place.index(after: colon)...]), (1...65535).contains(port) else {
      throw failure
    }
    host = String(place[..<colon].filter { $0 != "[" && $0 != "]" })
    self.port = port
    path = String(rest[slash...])
    isSecure = scheme == "https"
  }
}
