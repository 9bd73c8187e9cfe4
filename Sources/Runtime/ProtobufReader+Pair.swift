extension ProtobufReader {
  /// The fields 1 and 2 of a message that has no more than those, like google.protobuf.Any (type, value) and ttrpc's answers (status, payload).
  static func pair(_ message: Bytes) throws(Malformed) -> (Bytes, Bytes) {
    var (first, second) = (Bytes(), Bytes())
    var reader = ProtobufReader(message)
    while let field = try reader.next() {
      if field.number == 1 { first = field.bytes }
      if field.number == 2 { second = field.bytes }
    }
    return (first, second)
  }
}
