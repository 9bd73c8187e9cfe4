import SwiftProtobuf

/// Names the fields in which two requests differ, so that ALREADY_EXISTS says why a retry was not taken as one.
enum Difference {
  /// Values may be secrets.
  private static let hidden: Set = ["envs"]

  /// Top-level field names with their values cut short, at most three; "nothing" where the messages are equal.
  static func describe(_ old: some Message, _ new: some Message) -> String {
    guard let before = fields(old), let after = fields(new) else { return "the messages" }
    let names = Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }.sorted()
    let parts = names.prefix(3).map { hidden.contains($0) ? $0 : "\($0) (\(cut(before[$0])) is now \(cut(after[$0])))" }
    return parts.isEmpty ? "nothing" : parts.joined(separator: ", ") + (names.count > 3 ? " and \(names.count - 3) more" : "")
  }

  /// Field name → its rendered text, from protobuf's text form: top-level fields begin in column 0.
  private static func fields(_ message: some Message) -> [String: String]? {
    var result: [String: String] = [:]
    var current = ""
    for line in message.textFormatString().split(separator: "\n") {
      if line.first != " ", line.first != "}", let end = line.firstIndex(where: { $0 == ":" || $0 == " " }) {
        current = String(line[..<end])
      }
      result[current, default: ""] += line + " "
    }
    return result
  }

  private static func cut(_ text: String?) -> String {
    guard let text else { return "absent" }
    return text.utf8.count > 60 ? "\(text.prefix(60))…" : "\(text)"
  }
}
