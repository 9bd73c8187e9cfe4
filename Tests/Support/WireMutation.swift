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
    guard let fields = WireField.parse(message) else { return 1 }
    return fields.reduce(0) { $0 + ($1.wireType == 2 ? 1 + (count($1.content) - 1) : 1) } + 1
  }

  /// Nil where these bytes are no message.
  private mutating func mutate(_ message: [UInt8], odds: UInt64) -> [UInt8]? {
    guard let fields = WireField.parse(message) else { return nil }
    var output: [UInt8] = []
    for var field in fields {
      if numbers.next() % odds == 0 {
        switch numbers.next() % 8 {
        case 0: continue
        case 1: field.write(&output)
        default: change(&field)
        }
      } else if field.wireType == 2, !field.content.isEmpty, let inner = mutate(field.content, odds: odds) {
        field.content = inner
      }
      field.write(&output)
    }
    return output
  }

  private mutating func change(_ field: inout WireField) {
    if field.wireType == 0 {
      field.varint = Self.varints.randomElement(using: &numbers) ?? 0
    } else if field.wireType == 2 {
      field.content = texts.randomElement(using: &numbers) ?? []
    }
  }
}
