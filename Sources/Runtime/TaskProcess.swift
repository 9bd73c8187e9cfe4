/// A process of a foreign shim: a container's init or, with an exec's name, a process beside it. And the requests about it.
struct TaskProcess {
  let id: Bytes
  var exec = Bytes()

  var description: Bytes { exec.isEmpty ? "container " + id : "exec " + exec + " of container " + id }

  private var writer: ProtobufWriter {
    var writer = ProtobufWriter()
    writer.put(1, id)
    writer.put(2, exec)
    return writer
  }

  /// State, Start, Wait, Delete.
  var request: Bytes { writer.bytes }

  func kill(_ signal: Int32, all: Bool = false) -> Bytes {
    var writer = writer
    writer.put(3, signal)
    writer.put(4, all)
    return writer.bytes
  }

  func resize(columns: Int32, rows: Int32) -> Bytes {
    var writer = writer
    writer.put(3, columns)
    writer.put(4, rows)
    return writer.bytes
  }

  var closeInput: Bytes {
    var writer = writer
    writer.put(3, true)
    return writer.bytes
  }

  /// A number of an answer: WaitResponse 1 (exit status), ConnectResponse 1 (the shim's process), StateResponse 3 and 4.
  static func number(_ field: UInt64, of answer: Bytes) -> UInt64 {
    var reader = ProtobufReader(answer)
    while let found = try? reader.next() { if found.number == field { return found.varint } }
    return 0
  }
}
