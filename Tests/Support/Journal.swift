package import Logging
import Synchronization

/// Collects log messages.
package final class Journal: Sendable {
  private let lines = Mutex<[String]>([])

  package init() {}

  /// Each with its metadata.
  package var messages: [String] { lines.withLock { $0 } }
  package var logger: Logger { Logger(label: "test") { _ in Handler(journal: self) } }

  private struct Handler: LogHandler {
    let journal: Journal
    var logLevel = Logger.Level.trace
    var metadata: Logger.Metadata = [:]
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }
    init(journal: Journal) { self.journal = journal }
    func log(event: LogEvent) {
      journal.lines.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") }
    }
  }
}
