/// Numbers from a seed: a failing case can be had again (SplitMix64).
package struct SeededNumbers: RandomNumberGenerator {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}

/// Changes protobuf messages without knowing their schema: some fields get values at the edge of what there is, are dropped, or doubled.
package struct WireMutation {
  /// What strings and bytes become.
  package var texts: [[UInt8]]
  private var numbers: SeededNumbers

  private static let varints: [UInt64] = [
    0, 1, 2, 3, 4, 7, 99, 4096, 65536, 1 << 31, (1 << 31) - 1, 1 << 32, (1 << 32) - 1, UInt64(Int64.max), UInt64(bitPattern: Int64.min),
    UInt64.max, UInt64(bitPattern: -2), UInt64(bitPattern: -1001),
  ]

  package init(seed: UInt64, texts: [String]) {
    numbers = SeededNumbers(seed: seed)
    self.texts = texts.map { Array($0.utf8) }
  }

  /// About `changes` of the message's fields, wherever they are, are changed.
  package mutating func mutate(_ message: [UInt8], changes: Int) -> [UInt8] {
    let count = max(1, WireMutation.count(message))
    return mutate(message, odds: UInt64(max(1, count / max(1, changes)))) ?? message
  }

  private static func count(_ message: [UInt8]) -> Int {
    guard let fields = parse(message) else { return 1 }
    return fields.reduce(0) { $0 + ($1.wireType == 2 ? 1 + (count($1.content) - 1) : 1) } + 1
  }

  private struct Field {
    var number: UInt64
    var wireType: UInt64
    var varint: UInt64 = 0
    var content: [UInt8] = []
  }

  /// Nil where these bytes are no message.
  private mutating func mutate(_ message: [UInt8], odds: UInt64) -> [UInt8]? {
    guard let fields = Self.parse(message) else { return nil }
    var output: [UInt8] = []
    for var field in fields {
      if numbers.next() % odds == 0 {
        switch numbers.next() % 8 {
        case 0: continue
        case 1: Self.write(field, &output)
        default: change(&field)
        }
      } else if field.wireType == 2, !field.content.isEmpty, let inner = mutate(field.content, odds: odds) {
        field.content = inner
      }
      Self.write(field, &output)
    }
    return output
  }

  private mutating func change(_ field: inout Field) {
    if field.wireType == 0 {
      field.varint = Self.varints.randomElement(using: &numbers) ?? 0
    } else if field.wireType == 2 {
      field.content = texts.randomElement(using: &numbers) ?? []
    }
  }

  private static func parse(_ message: [UInt8]) -> [Field]? {
    var fields: [Field] = []
    var position = 0
    while position < message.count {
      guard let key = varint(message, &position), key >> 3 > 0, key >> 3 < 200 else { return nil }
      var field = Field(number: key >> 3, wireType: key & 7)
      guard let value = varint(message, &position) else { return nil }
      switch field.wireType {
      case 0: field.varint = value
      case 2:
        guard value <= UInt64(message.count - position) else { return nil }
        field.content = Array(message[position..<position + Int(value)])
        position += Int(value)
      default: return nil
      }
      fields.append(field)
    }
    return fields
  }

  private static func varint(_ bytes: [UInt8], _ position: inout Int) -> UInt64? {
    var value: UInt64 = 0
    for shift in 0..<10 {
      guard position < bytes.count else { return nil }
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7F) << UInt64(shift * 7)
      if byte & 0x80 == 0 { return value }
    }
    return nil
  }

  private static func write(_ field: Field, _ output: inout [UInt8]) {
    write(field.number << 3 | field.wireType, &output)
    if field.wireType == 0 { return write(field.varint, &output) }
    write(UInt64(field.content.count), &output)
    output += field.content
  }

  private static func write(_ value: UInt64, _ output: inout [UInt8]) {
    var rest = value
    while rest > 0x7F {
      output.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    output.append(UInt8(rest))
  }
}
