/// A field of a message as it is on the wire: a varint, or bytes.
package struct WireField: Hashable {
  package var number: UInt64
  package var wireType: UInt64
  package var varint: UInt64 = 0
  package var content: [UInt8] = []

  package static func varint(_ number: UInt64, _ value: UInt64) -> WireField { WireField(number: number, wireType: 0, varint: value) }

  package static func bytes(_ number: UInt64, _ content: [UInt8]) -> WireField { WireField(number: number, wireType: 2, content: content) }

  /// Nil where these bytes are no message, or one with numbers of fixed width.
  package static func parse(_ message: [UInt8]) -> [WireField]? {
    var fields: [WireField] = []
    var position = 0
    while position < message.count {
      guard let key = varint(message, &position), key >> 3 > 0, key >> 3 < 200 else { return nil }
      var field = WireField(number: key >> 3, wireType: key & 7)
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

  package func write(_ output: inout [UInt8]) {
    Self.write(number << 3 | wireType, &output)
    if wireType == 0 { return Self.write(varint, &output) }
    Self.write(UInt64(content.count), &output)
    output += content
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

  private static func write(_ value: UInt64, _ output: inout [UInt8]) {
    var rest = value
    while rest > 0x7F {
      output.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    output.append(UInt8(rest))
  }
}
