package import Core
import Spec

/// Which events a subscriber wants, in containerd's words: `topic~="/tasks/.+",namespace==k8s.io`.
package struct EventFilters: Sendable {
  /// All of a filter's selectors must hold.
  private let filters: [[EventSelector]]

  /// Bytes of all texts together: every event is looked at with all of them.
  private static let limit = 64 << 10

  package static let all = EventFilters([])

  private init(_ filters: [[EventSelector]]) { self.filters = filters }

  /// An event passes where one of them holds, and always where there is none or one is empty.
  /// INVALID_ARGUMENT says where a text is wrong.
  package init(parsing texts: [String]) throws(Fault) {
    guard texts.reduce(0, { $0 + $1.utf8.count + 1 }) <= Self.limit else {
      throw Fault(.invalidArgument, "filters: more than \(Self.limit) bytes")
    }
    var filters: [[EventSelector]] = []
    for text in texts {
      var parser = EventFilterParser(text)
      filters.append(try parser.parse())
    }
    self.init(filters.contains { $0.isEmpty } ? [] : filters)
  }

  package var passesAll: Bool { filters.isEmpty }

  package func pass(_ envelope: EventEnvelope) -> Bool {
    if passesAll { return true }
    var fields = EventFields(envelope)
    return filters.contains { selectors in selectors.allSatisfy { $0.holds(for: &fields) } }
  }
}

/// One condition on one field.
struct EventSelector: Sendable {
  enum Condition: Sendable {
    case present
    case equal(String)
    case different(String)
    case matching(Pattern)
  }

  let path: [String]
  let condition: Condition

  /// As for containerd, a field that is not there is different from everything, and matches what matches nothing.
  func holds(for fields: inout EventFields) -> Bool {
    let value = fields[path]
    return switch condition {
    case .present: value != nil
    case .equal(let other): value == other
    case .different(let other): value != other
    case .matching(let pattern): pattern.matches(value ?? "")
    }
  }
}
