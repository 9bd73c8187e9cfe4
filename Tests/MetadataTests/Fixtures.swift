import Core
import Linux
import Logging
import Synchronization

func record(_ id: String, _ json: String = #"{"padding":"0123456789012345678901234567890123456789"}"#) -> StoredRecord {
  StoredRecord(id: id, json: Array(json.utf8))
}

let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Collects log messages.
final class Journal: Sendable {
  private let lines = Mutex<[String]>([])
  var messages: [String] { lines.withLock { $0 } }
  var logger: Logger { Logger(label: "test") { _ in Handler(journal: self) } }

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

/// Changes bytes in the middle of a file, as a failing disk does.
func scribble(_ path: String, at offset: Int, _ bytes: [UInt8]) throws {
  var content = try Files.read(path)
  for (index, byte) in bytes.enumerated() where offset + index < content.count { content[offset + index] = byte }
  try Files.write(content, to: path)
}
