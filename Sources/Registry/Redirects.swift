import Core

/// Where a request is sent on to: bounded, never in a circle, never from https to http.
struct Redirects {
  private let limit: Int
  private var visited: [WebAddress]

  init(_ start: WebAddress, limit: Int) {
    self.limit = limit
    visited = [start]
  }

  var current: WebAddress { visited[visited.count - 1] }

  static func isRedirect(_ status: UInt) -> Bool { [301, 302, 303, 307, 308].contains(status) }

  mutating func follow(_ location: String?) throws(Fault) {
    let place = "GET \(visited[0].display)"
    guard let location else { throw Fault(.unavailable, "\(place): \(current.display) redirects to nowhere") }
    guard let next = current.resolving(location) else {
      throw Fault(
        .unavailable, "\(place): \(current.display) redirects to no http address: \(Excerpt.of(location.prefix { $0 != "?" } + ""))")
    }
    if current.scheme == .https, next.scheme == .http {
      throw Fault(.permissionDenied, "\(place): \(current.display) redirects from https to \(next.display), which is refused")
    }
    if visited.contains(next) { throw Fault(.unavailable, "\(place): redirect loop at \(next.display)") }
    guard visited.count <= limit else { throw Fault(.unavailable, "\(place): more than \(limit) redirects, the last to \(next.display)") }
    visited.append(next)
  }
}
