import CLinux

/// The task service's calls that name an exec.
extension TaskService {
  func exec(_ request: ExecRequest, _ call: Call) {
    if let complaint = request.complaint { return call.fail(complaint) }
    guard let container = containers.find(request.containerID, call) else { return }
    guard container.isRunning else { return call.fail(container.isNotRunning) }
    guard execs.find(request.containerID, request.execID) == nil else {
      return call.fail(Failure(.alreadyExists, "exec " + request.execID + " exists"))
    }
    do throws(SystemFailure) {
      execs.add(try Exec(container, request, connection: call.connection, number: execs.nextNumber()))
      call.succeed()
    } catch {
      call.fail(Failure(.internal, "exec: " + error.message))
    }
  }

  func serveExec(_ method: Bytes, _ request: TaskRequest, _ call: Call) {
    guard let exec = execs.find(request.id, request.execID) else {
      return call.fail(Failure(.notFound, "exec " + request.execID + " is not known"))
    }
    if method.matches("Start") { return start(exec, call) }
    if method.matches("Wait") { return exec.whenEnded { call.succeed($0.waitAnswer) } }
    if method.matches("Kill") { return kill(exec, request, call) }
    if method.matches("Delete") { return delete(exec, call) }
    if method.matches("State") { return call.succeed(exec.state) }
    if method.matches("CloseIO") { return call.succeed() }
    call.fail(Failure(.unimplemented, "an exec's " + method + " is not served"))
  }

  private func start(_ exec: Exec, _ call: Call) {
    guard !exec.isStarted else { return call.fail(Failure(.failedPrecondition, "exec " + exec.id + " was started already")) }
    exec.start { failure in
      if let failure { return call.fail(failure) }
      var response = ProtobufWriter()
      response.put(1, exec.process?.pid ?? 0)
      call.succeed(response.bytes)
    }
  }

  private func kill(_ exec: Exec, _ request: TaskRequest, _ call: Call) {
    guard request.third < 65 else { return call.fail(Failure(.invalidArgument, "there is no such signal")) }
    guard exec.signal(Int32(request.third), all: request.fourth != 0) else {
      return call.fail(Failure(.notFound, "exec " + exec.id + " has no process"))
    }
    call.succeed()
  }

  private func delete(_ exec: Exec, _ call: Call) {
    if exec.isStarted && exec.exit == nil { return call.fail(Failure(.failedPrecondition, "exec " + exec.id + " runs")) }
    if !exec.isStarted { exec.kill() }
    execs.remove(exec)
    call.succeed(Exit.deleteAnswer(exec.exit, pid: 0))
  }
}

extension Exec {
  /// containerd's StateResponse
  fileprivate var state: Bytes {
    var message = ProtobufWriter()
    message.put(1, container.id)
    message.put(2, container.bundle)
    message.put(3, process?.pid ?? 0)
    message.put(4, exit == nil ? process == nil ? 1 : 2 : 3 as UInt64)
    if let exit {
      message.put(9, UInt64(UInt32(bitPattern: exit.code)))
      message.timestamp(10, exit.finishedAt)
    }
    message.put(11, id)
    return message.bytes
  }
}
