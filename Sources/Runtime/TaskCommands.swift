import CLinux

/// The verbs that are one question to the shim, or nearly so.
enum TaskCommands {
  private static let limit: Int64 = 30_000

  private static func open(_ arguments: Arguments) throws(Failure) -> (Container, ContainerRecord, TaskClient) {
    let container = try arguments.container
    let record = try container.knownRecord
    do throws(Failure) { return (container, record, try TaskClient(record.address, version: record.version)) } catch {
      throw error.at(record.shim.name + ", container " + container.id)
    }
  }

  @discardableResult
  private static func ask(_ method: StaticString, _ message: (TaskProcess) -> Bytes, _ arguments: Arguments, within limit: Int64? = limit)
    throws(Failure) -> Bytes
  {
    let (container, record, client) = try open(arguments)
    do throws(Failure) { return try client.call(method, message(TaskProcess(id: container.id)), within: limit) } catch {
      throw error.at(record.shim.name + ", container " + container.id)
    }
  }

  static func call(_ method: StaticString, _ arguments: Arguments) throws(Failure) { try ask(method, { $0.request }, arguments) }

  /// Takes what a guest takes for it. A terminal has got its size by now, of which a process that did not run could not be told.
  static func start(_ arguments: Arguments) throws(Failure) {
    try ask("Start", { $0.request }, arguments, within: nil)
    let record = try arguments.container.knownRecord
    if record.proxy.isAlive { _ = foreign_nudge(record.proxy.pid, SIGWINCH) }
  }

  static func kill(_ arguments: Arguments) throws(Failure) {
    let word = arguments.operands.count > 1 ? arguments.operands[1] : Bytes("SIGTERM")
    guard let signal = Signal.number(word) else { throw Failure(.invalidArgument, "kill: there is no signal " + word) }
    try ask("Kill", { $0.kill(signal, all: arguments.has("--all", "-a")) }, arguments)
  }

  static func delete(_ arguments: Arguments) throws(Failure) {
    let (container, isForced) = (try arguments.container, arguments.has("--force", "-f"))
    guard let record = isForced ? try container.record : try container.knownRecord else { return }
    if !isForced, let status = try? state(of: container, record), status == .created || status == .running || status == .paused {
      throw Failure(.failedPrecondition, "container " + container.id + " has not ended")
    }
    try Deletion(container, record).run()
  }

  static func update(_ arguments: Arguments) throws(Failure) {
    let path = try arguments.required("--resources", "-r")
    guard let resources = Files.read(path.matches("-") ? Bytes("/dev/stdin") : path, last: 1 << 20), !resources.isEmpty else {
      throw SystemFailure.failure("resources", path)
    }
    let any = ShimOptions.any(Bytes("types.containerd.io/opencontainers/runtime-spec/1/LinuxResources"), resources)
    try ask(
      "Update",
      { process in
        var request = ProtobufWriter()
        request.put(1, process.id)
        request.put(2, any)
        return request.bytes
      }, arguments)
  }

  /// A number a line.
  static func processes(_ arguments: Arguments) throws(Failure) -> Bytes {
    var reader = ProtobufReader(try ask("Pids", { $0.request }, arguments))
    var lines: [Bytes] = []
    while let field = try? reader.next() {
      if field.number == 1 { lines.append(Bytes(decimal: Int64(bitPattern: TaskProcess.number(1, of: field.bytes)))) }
    }
    return Bytes(lines.joined(separator: [10]))
  }

  /// containerd.v1.types.Status
  private enum Status: UInt64 {
    case unknown, created, running, stopped, paused, pausing
  }

  private static func state(of container: Container, _ record: ContainerRecord) throws(Failure) -> Status {
    let client = try TaskClient(record.address, version: record.version)
    let answer = try client.call("State", TaskProcess(id: container.id).request, within: limit)
    return Status(rawValue: TaskProcess.number(4, of: answer)) ?? .unknown
  }

  /// The OCI state; a container whose shim is dead is stopped.
  static func state(_ arguments: Arguments) throws(Failure) -> Bytes {
    let container = try arguments.container
    let record = try container.knownRecord
    let status = (try? state(of: container, record)) ?? .stopped
    let word: StaticString =
      switch status {
      case .created: "created"
      case .running: "running"
      case .paused, .pausing: "paused"
      case .stopped, .unknown: "stopped"
      }
    let pid = status == .stopped ? 0 : record.proxy.pid
    var text = "{\"ociVersion\":\"1.0.2\",\"id\":" + container.id.jsonString
    text += ",\"status\":\"" + Bytes(word) + "\",\"pid\":" + Bytes(decimal: pid)
    text += ",\"bundle\":" + record.shim.bundle.jsonString + "}"
    return text
  }
}
