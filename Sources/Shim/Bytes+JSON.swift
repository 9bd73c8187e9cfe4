extension Bytes {
  /// As a JSON string with its quotes; control characters that have no short form become spaces.
  var jsonString: Bytes {
    var result: Bytes = [0x22]
    for byte in utf8Text {
      switch byte {
      case 0x22, 0x5c: result += [0x5c, byte]
      case 10: result += Bytes("\\n")
      case 9: result += Bytes("\\t")
      case 0..<32: result.append(32)
      default: result.append(byte)
      }
    }
    return result + [0x22]
  }
}
