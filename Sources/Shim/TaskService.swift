import CLinux

/// The fields that the requests of containerd's task service share, or that only one has.
struct TaskRequest {
  var id = Bytes()
  var execID = Bytes()
  var third: UInt64 = 0
  var fourth: UInt64 = 0

  init(_ message: Bytes) throws(Malformed) {
    var reader = ProtobufReader(message)
    while let field = try reader.next() {
      switch field.number {
      case 1: id = field.bytes
      case 2: execID = field.bytes
      case 3: third = field.varint
      case 4: fourth = field.varint
      default: break
      }
    }
  }
}

/// containerd.task.v2.Task and containerd.task.v3.Task, which have the same messages.
final class TaskService {
  private let pod: Pod
  let containers: ContainerTable
  let execs: ExecTable
  private let shutDown: (Call) -> Void

  init(pod: Pod, containers: ContainerTable, execs: ExecTable, shutDown: @escaping (Call) -> Void) {
    self.pod = pod
    self.containers = containers
    self.execs = execs
    self.shutDown = shutDown
  }

  func serve(_ method: Bytes, _ payload: Bytes, _ call: Call) throws(Malformed) {
    if method.matches("Create") { return create(try CreateRequest(payload), call) }
    if method.matches("Shutdown") { return shutDown(call) }
    if method.matches("Exec") { return exec(try ExecRequest(payload), call) }
    if method.matches("Connect") { return connect(try TaskRequest(payload), call) }
    let request = try TaskRequest(payload)
    guard let verb = verb(method) else { return call.fail(Failure(.unimplemented, "the task service's " + method + " is not served")) }
    guard let container = containers.find(request.id, call) else { return }
    if !request.execID.isEmpty && Self.takesExec(method) { return serveExec(method, request, call) }
    verb(container, request, call)
  }

  /// Those without have another field in its place.
  private static func takesExec(_ method: Bytes) -> Bool {
    !method.matches("Pids") && !method.matches("Pause") && !method.matches("Resume")
  }

  private typealias Verb = (Container, TaskRequest, Call) -> Void

  private func verb(_ method: Bytes) -> Verb? {
    if method.matches("State") { return { container, _, call in container.join { call.succeed(container.state) } } }
    if method.matches("Start") { return { container, _, call in container.start(call) } }
    if method.matches("Delete") { return { container, _, call in container.delete(call) } }
    if method.matches("Wait") { return { container, _, call in container.wait(call) } }
    if method.matches("Kill") { return { $0.kill($2, signal: Int32(truncatingIfNeeded: $1.third), all: $1.fourth != 0) } }
    if method.matches("Pids") { return { container, _, call in call.succeed(container.processList) } }
    if method.matches("Pause") { return { container, _, call in container.setPaused(true, call) } }
    if method.matches("Resume") { return { container, _, call in container.setPaused(false, call) } }
    if method.matches("CloseIO") { return closeIO }
    if method.matches("ResizePty") { return resize }
    return nil
  }

  private func closeIO(_ container: Container, _ request: TaskRequest, _ call: Call) {
    if request.third != 0 { container.closeInput() }
    call.succeed()
  }

  private func resize(_ container: Container, _ request: TaskRequest, _ call: Call) {
    let columns = UInt16(truncatingIfNeeded: request.third)
    guard container.master >= 0, shim_resize_terminal(container.master, columns, UInt16(truncatingIfNeeded: request.fourth)) == 0 else {
      return call.fail(Failure(.failedPrecondition, "container " + container.id + " has no terminal"))
    }
    call.succeed()
  }

  private func create(_ request: CreateRequest, _ call: Call) {
    if let complaint = request.complaint { return call.fail(complaint) }
    guard let options = request.options else { return }
    if let known = containers.find(request.id) {
      return known.request == request.message ? call.succeed() : call.fail(Failure(.alreadyExists, "container " + request.id + " exists"))
    }
    let container = Container(pod: pod, request: request, options: options)
    do throws(Failure) {
      try container.create()
      containers.add(container)
      call.succeed()
    } catch {
      call.fail(error)
    }
  }

  private func connect(_ request: TaskRequest, _ call: Call) {
    var response = ProtobufWriter()
    response.put(1, getpid())
    response.put(2, containers.find(request.id)?.pid ?? 0)
    response.put(3, Bytes(version))
    call.succeed(response.bytes)
  }
}
