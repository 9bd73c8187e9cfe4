import ContainerdAPI
import Core

/// An event's values by path: `namespace`, `topic`, and below `event` the fields of its message.
struct EventFields {
  private let envelope: EventEnvelope
  /// Made when it is asked for.
  private var message: JSON?

  init(_ envelope: EventEnvelope) { self.envelope = envelope }

  /// `nil` where it is not there, or is empty, or is no text, number or truth value.
  subscript(path: [String]) -> String? {
    mutating get {
      switch path.first {
      case "namespace" where path.count == 1: envelope.namespace.isEmpty ? nil : envelope.namespace
      case "topic" where path.count == 1: envelope.topic.isEmpty ? nil : envelope.topic
      case "event": Self.value(path.dropFirst(), in: content())
      default: nil
      }
    }
  }

  private mutating func content() -> JSON {
    if let message { return message }
    let text = EventMessages.json(envelope.event.url, envelope.event.value)
    let made = text.flatMap { try? JSON(parsing: Array($0.utf8)) } ?? .null
    message = made
    return made
  }

  /// Keys of labels may have dots in them: they need no quotes.
  private static func value(_ path: ArraySlice<String>, in json: JSON) -> String? {
    guard let name = path.first else { return text(json) }
    if path.count > 1, let whole = json[path.joined(separator: ".")] { return text(whole) }
    return json[name].flatMap { value(path.dropFirst(), in: $0) }
  }

  private static func text(_ json: JSON) -> String? {
    switch json {
    case .string(let text): text.isEmpty ? nil : text
    case .number(let text): text
    case .bool(let flag): flag ? "true" : "false"
    default: nil
    }
  }
}
