/// berth.shim.v1.ExecSyncRequest
struct ExecSyncRequest {
  var id = Bytes()
  var process = Bytes()
  /// Nanoseconds; 0 for none.
  var timeout: Int64 = 0
  var outputLimit: UInt64 = 0

  init(_ message: Bytes) throws(Malformed) {
    var reader = ProtobufReader(message)
    while let field = try reader.next() {
      switch field.number {
      case 1: id = field.bytes
      case 2: process = field.bytes
      case 3: timeout = field.int64
      case 4: outputLimit = field.varint
      default: break
      }
    }
  }
}
