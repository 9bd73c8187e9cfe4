/// berth.shim.v1.AttachRequest
struct AttachRequest {
  var id = Bytes()
  var output = Bytes()
  var error = Bytes()
  var input = Bytes()
  var takesInput = false
  var tail = 0

  init(_ message: Bytes) throws(Malformed) {
    var reader = ProtobufReader(message)
    while let field = try reader.next() {
      switch field.number {
      case 1: id = field.bytes
      case 2: output = field.bytes
      case 3: error = field.bytes
      case 4: input = field.bytes
      case 5: takesInput = field.bool
      case 6: tail = Int(field.uint32)
      default: break
      }
    }
  }

  var complaint: Failure? {
    [output, error, input].allSatisfy { $0.isEmpty || isPath($0) }
      ? nil : Failure(.invalidArgument, "stdin, stdout or stderr is no absolute path")
  }
}
