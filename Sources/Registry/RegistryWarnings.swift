import AsyncHTTPClient
import Core
import Logging
import NIOHTTP1
import Synchronization

/// `Warning` headers of registries (OCI distribution spec, "Warnings"): told to the operator, each once.
final class RegistryWarnings: Sendable {
  private static let capacity = 256

  private let seen = Mutex<Set<String>>([])
  private let logger: Logger

  init(_ logger: Logger) { self.logger = logger }

  func note(_ response: HTTPClientResponse, from origin: String) {
    for header in response.headers["Warning"] {
      guard let text = Self.text(header) else { continue }
      let isNew = seen.withLock { seen in
        if seen.count >= Self.capacity { seen.removeAll() }
        return seen.insert("\(origin) \(text)").inserted
      }
      if isNew { logger.warning("registry warns", metadata: ["host": "\(origin)", "text": "\(Excerpt.of(text))"]) }
    }
  }

  /// `299 - "text"`; others are not for people.
  static func text(_ header: String) -> String? {
    let prefix = "299 - \""
    guard header.hasPrefix(prefix), let end = header.lastIndex(of: "\""), end >= header.index(header.startIndex, offsetBy: prefix.count)
    else { return nil }
    let text = header[header.index(header.startIndex, offsetBy: prefix.count)..<end]
    return text.isEmpty ? nil : String(text).replacing("\\\"", with: "\"")
  }
}
