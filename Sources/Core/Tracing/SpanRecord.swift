/// What spans, their events and links say of themselves, in the order it was said; the last one under a name counts.
package struct SpanAttributes: Sendable, Hashable, ExpressibleByDictionaryLiteral {
  package typealias Key = String
  package typealias Value = Content?

  package enum Content: Sendable, Hashable {
    case string(String)
    case int(Int64)
    case bool(Bool)
  }

  package struct Attribute: Sendable, Hashable {
    package let key: String
    package let value: Content
  }

  package private(set) var list: [Attribute] = []
  /// Those that were too many.
  package private(set) var dropped: UInt32 = 0

  package init() {}

  package init(dictionaryLiteral elements: (Key, Value)...) { self.init(elements) }

  /// Those that have a value.
  package init(_ elements: [(key: Key, value: Value)]) {
    for (key, value) in elements { if let value { list.append(Attribute(key: key, value: value)) } }
  }

  package subscript(key: String) -> Content? { list.last { $0.key == key }?.value }

  package static func + (one: SpanAttributes, other: SpanAttributes) -> SpanAttributes {
    var all = one
    all.list += other.list
    return all
  }

  mutating func add(_ others: SpanAttributes, limits: SpanLimits) {
    for attribute in others.list {
      list.removeAll { $0.key == attribute.key }
      guard list.count < limits.attributes else {
        dropped += 1
        continue
      }
      list.append(Attribute(key: attribute.key, value: attribute.value.cut(to: limits.valueLength)))
    }
  }
}

extension SpanAttributes.Content: ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
  package init(stringLiteral value: String) { self = .string(value) }
  package init(integerLiteral value: Int64) { self = .int(value) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }

  fileprivate func cut(to length: Int) -> Self {
    guard case .string(let text) = self, text.utf8.count > length else { return self }
    return .string(String(text.prefix(length)))
  }
}

/// How much one span may hold.
package struct SpanLimits: Sendable, Hashable {
  package var attributes = 128
  /// Characters of one value.
  package var valueLength = 4096
  package var events = 128
  package var eventAttributes = 128
  package var links = 128
  package var linkAttributes = 128

  package init() {}
}

/// A span that has ended: what happened from when to when, as part of what.
package struct SpanRecord: Sendable {
  /// Numbers as OTLP has them.
  package enum Kind: Int, Sendable {
    case `internal` = 1
    /// A call that came in.
    case server = 2
    /// A call that went out.
    case client = 3
  }

  package struct Event: Sendable {
    /// Nanoseconds since the epoch.
    package let time: Int64
    package let name: String
    package let attributes: SpanAttributes
  }

  package struct Link: Sendable {
    package let context: TraceContext
    package let attributes: SpanAttributes
  }

  package let context: TraceContext
  package let parent: SpanID?
  /// The parent is in another process.
  package let hasRemoteParent: Bool
  package let name: String
  package let kind: Kind
  /// Nanoseconds since the epoch.
  package let start: Int64
  package internal(set) var end: Int64 = 0
  package internal(set) var attributes = SpanAttributes()
  package internal(set) var events: [Event] = []
  package internal(set) var droppedEvents: UInt32 = 0
  package internal(set) var links: [Link] = []
  package internal(set) var droppedLinks: UInt32 = 0
  /// Why it failed, where it did.
  package internal(set) var failure: String?
}

/// Decides which traces are recorded, and takes what was.
package protocol Tracer: Sendable {
  var limits: SpanLimits { get }

  /// Whether a trace that goes on here from `parent`, or begins here without one, is recorded.
  func samples(_ trace: TraceID, parent: TraceContext?) -> Bool

  /// Whether what callers say about their traces counts.
  var takesParents: Bool { get }

  /// Never waits.
  func ended(_ span: SpanRecord)
}
