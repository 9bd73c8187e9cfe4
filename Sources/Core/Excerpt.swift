/// Text of others in a message of ours: one line, printable, not long.
package enum Excerpt {
  package static func of(_ text: String, limit: Int = 300) -> String {
    let line = String(text.unicodeScalars.prefix(limit).map { $0.properties.generalCategory == .control ? " " : Character($0) })
    let trimmed = String(line.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    return text.unicodeScalars.count > limit ? trimmed + "…" : trimmed
  }
}
