/// What is asked of an exec.
struct ExecRequest {
  /// A Unix socket that takes the terminal's master side.
  struct Console {
    var directory: Bytes
    var name: Bytes
  }

  var containerID = Bytes()
  var execID = Bytes()
  var terminal = false
  var input = Bytes()
  var output = Bytes()
  var error = Bytes()
  /// OCI `process` object, JSON.
  var process = Bytes()

  init() {}

  /// containerd's ExecProcessRequest.
  init(_ message: Bytes) throws(Malformed) {
    var reader = ProtobufReader(message)
    while let field = try reader.next() {
      switch field.number {
      case 1: containerID = field.bytes
      case 2: execID = field.bytes
      case 3: terminal = field.bool
      case 4: input = field.bytes
      case 5: output = field.bytes
      case 6: error = field.bytes
      case 7: process = try Self.value(field.bytes)
      default: break
      }
    }
  }

  /// Of a google.protobuf.Any, whatever its type says.
  private static func value(_ any: Bytes) throws(Malformed) -> Bytes {
    var reader = ProtobufReader(any)
    var value = Bytes()
    while let field = try reader.next() { if field.number == 2 { value = field.bytes } }
    return value
  }

  /// The process's `oomScoreAdj`: crun leaves an exec with its own, and so with ours. In JSON a text's quotes are escaped, so that the name with
  /// both of its quotes and the colon is the member itself.
  var score: Bytes? {
    let name = Bytes("\"oomScoreAdj\":")
    guard process.count > name.count else { return nil }
    for start in 0..<(process.count - name.count) where process[start..<(start + name.count)].elementsEqual(name) {
      let digits = process[(start + name.count)...].prefix { $0 == 45 || $0 >= 48 && $0 <= 57 }
      return digits.isEmpty || digits.count > 5 ? nil : Bytes(digits)
    }
    return nil
  }

  /// From `console:///directory/name`.
  var console: Console? {
    guard terminal, output.hasPrefix("console:///") else { return nil }
    let path = Bytes(output.dropFirst(10))
    guard let slash = path.lastIndex(of: 47) else { return nil }
    return Console(directory: Bytes(path[..<max(slash, 1)]), name: Bytes(path[(slash + 1)...]))
  }

  var complaint: Failure? {
    if !isName(execID) { return Failure(.invalidArgument, "\"" + execID + "\" is no exec id") }
    if process.isEmpty { return Failure(.invalidArgument, "spec is empty") }
    if terminal { return console == nil ? Failure(.invalidArgument, "a terminal's stdout is console://PATH") : nil }
    return [input, output, error].allSatisfy { $0.isEmpty || isPath($0) }
      ? nil : Failure(.invalidArgument, "stdin, stdout or stderr is no absolute path")
  }
}
