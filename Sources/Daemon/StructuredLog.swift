import Core
import Linux
import Logging
import Settings
import Synchronization

/// Log lines on stderr: `2026-01-02T03:04:05.678Z info message key=value …` (logfmt), one write each, so that lines never mix.
struct StructuredLog: LogHandler {
  var metadata: Logger.Metadata = [:]
  var logLevel: Logger.Level

  static func logger(_ level: Configuration.LogLevel) -> Logger {
    Logger(label: "berthd") { _ in StructuredLog(logLevel: Logger.Level(rawValue: level.rawValue) ?? .info) }
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var line = "\(Timestamp.text(SystemClock.realtimeNanoseconds())) \(event.level) \(Self.oneLine("\(event.message)"))"
    var all = metadata.merging(event.metadata ?? [:]) { $1 }
    if let span = Span.current { Self.note(event, &all, in: span) }
    for (key, value) in all.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(Self.quoted("\(value)"))" }
    StandardError.write(line + "\n")
  }

  /// Tells the span of the line, and the line of the span.
  private static func note(_ event: LogEvent, _ metadata: inout Logger.Metadata, in span: Span) {
    let said = metadata.sorted { $0.key < $1.key }.map { (key: $0.key, value: SpanAttributes.Content?.some("\($0.value)")) }
    span.event("\(event.message)", SpanAttributes(said + [("level", "\(event.level)")]))
    metadata["trace_id"] = "\(span.context.trace)"
    metadata["span_id"] = "\(span.context.span)"
  }

  private static func oneLine(_ text: String) -> String {
    text.utf8.contains(10) ? text.split(separator: "\n").joined(separator: " / ") : text
  }

  private static func quoted(_ text: String) -> String {
    let plain = text.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=") && $0 != 0x7F } && !text.isEmpty
    guard !plain else { return text }
    return "\"" + oneLine(text).replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}
