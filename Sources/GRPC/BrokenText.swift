import SwiftProtobuf

/// Finds the string in an encoded message that is no UTF-8: SwiftProtobuf says only that there is one.
///
/// No descriptors are at hand. Instead the decoder itself is asked, with messages in which one field is all there is: what it makes of a field tells
/// the field's kind, and how it writes it as text the field's name.
enum BrokenText<M: Message> {
  /// One field on the way from the message to the string.
  struct Step {
    var number: UInt64
    /// How many fields of this number come before it, in the same message.
    var index: Int
    var content: ArraySlice<UInt8>
  }

  /// The string's place as `config.metadata.name`, `envs[3].key`, `labels["app"]`; nil where all strings are UTF-8.
  static func place(in bytes: [UInt8]) -> String? { steps(in: bytes[...], below: []).map(name) }

  private static func steps(in bytes: ArraySlice<UInt8>, below outer: [Step]) -> [Step]? {
    var counts: [UInt64: Int] = [:]
    var fields = WireFields(bytes)
    while let field = fields.next() {
      let step = Step(number: field.number, index: counts[field.number, default: 0], content: field.content)
      counts[field.number] = step.index + 1
      // ASCII is UTF-8, and most of what there is.
      guard field.content.contains(where: { $0 >= 0x80 }), isBroken(outer + [step], field.content) else { continue }
      if isBroken(outer + [step], [0xFF]) { return outer + [step] }
      return steps(in: field.content, below: outer + [step])
    }
    return nil
  }

  /// Whether the decoder finds a string that is no UTF-8 where the last step's field holds `content`. Of 0xFF a string alone makes that.
  private static func isBroken(_ steps: [Step], _ content: ArraySlice<UInt8>) -> Bool {
    do {
      _ = try M(serializedBytes: message(steps, [content]), partial: true)
      return false
    } catch { return error as? BinaryDecodingError == .invalidUTF8 }
  }

  /// A message with nothing but these fields within each other, the last one once for each of `contents`.
  private static func message(_ steps: [Step], _ contents: [ArraySlice<UInt8>]) -> [UInt8] {
    guard let last = steps.last else { return [] }
    let fields = contents.flatMap { WireFields.field(last.number, $0) }
    return steps.dropLast().reversed().reduce(fields) { WireFields.field($1.number, $0[...]) }
  }
}

extension BrokenText {
  private static func name(_ steps: [Step]) -> String {
    let names = names(steps)
    var text = ""
    var isEntry = false
    for (depth, (step, name)) in zip(steps, names).enumerated() {
      if isEntry { if step.number == 1 { text += ".key" } } else { text += (text.isEmpty ? "" : ".") + name }
      let path = Array(steps[...depth])
      isEntry = depth + 1 < steps.count && isMap(path, name)
      if isEntry, steps[depth + 1].number != 1, let key = key(of: step) {
        text += "[\"\(key)\"]"
      } else if isEntry || isRepeated(path, name) {
        text += "[\(step.index)]"
      }
    }
    return text
  }

  /// Each step's, from the text of a message that has nothing but the string.
  private static func names(_ steps: [Step]) -> [String] {
    let lines = lines(message(steps, ["x"[...].utf8Bytes]))
    guard let leaf = lines.lastIndex(where: { $0.hasSuffix(": \"x\"") }) else { return steps.map { "field \($0.number)" } }
    var (names, depth) = ([fieldName(lines[leaf])], indentation(lines[leaf]))
    for line in lines[..<leaf].reversed() where indentation(line) < depth {
      names.append(fieldName(line))
      depth = indentation(line)
    }
    return names.reversed()
  }

  /// Two of it stay two.
  private static func isRepeated(_ steps: [Step], _ name: String) -> Bool { count(name, message(steps, [[], []])) == 2 }

  /// Two without a key are one, two with different keys are two.
  private static func isMap(_ steps: [Step], _ name: String) -> Bool {
    !isRepeated(steps, name) && count(name, message(steps, [[], WireFields.field(1, "y"[...].utf8Bytes)[...]])) == 2
  }

  private static func count(_ name: String, _ bytes: [UInt8]) -> Int {
    let lines = lines(bytes)
    guard let depth = lines.filter({ fieldName($0) == name }).map(indentation).max() else { return 0 }
    return lines.count { fieldName($0) == name && indentation($0) == depth }
  }

  private static func key(of entry: Step) -> String? {
    var fields = WireFields(entry.content)
    while let field = fields.next() {
      if field.number == 1, let key = String(validating: field.content, as: UTF8.self) { return String(key.prefix(100)) }
    }
    return nil
  }

  private static func lines(_ bytes: [UInt8]) -> [Substring] {
    ((try? M(serializedBytes: bytes, partial: true))?.textFormatString() ?? "").split(separator: "\n")
  }

  private static func indentation(_ line: Substring) -> Int { line.prefix { $0 == " " }.count }
  private static func fieldName(_ line: Substring) -> String { String(line.drop { $0 == " " }.prefix { $0 != " " && $0 != ":" }) }
}

extension Substring {
  fileprivate var utf8Bytes: ArraySlice<UInt8> { Array(utf8)[...] }
}
