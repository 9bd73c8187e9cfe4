import CLinux

/// berth.shim.v1.Pod
final class PodService {
  /// Where Setup stands.
  private enum Setup {
    case none
    case running(request: Bytes, calls: [Call])
    case done(request: Bytes, holder: Holder)
  }

  private let pod: Pod
  private let containers: ContainerTable
  private let exit: () -> Void
  private var setup = Setup.none
  /// Whoever wants to hear of lost output, the latest only, and how much of it is known there.
  private var lossCall: (known: UInt64, call: Call)?

  /// `exit` ends the shim once all is torn down and answered.
  init(pod: Pod, containers: ContainerTable, exit: @escaping () -> Void) {
    self.pod = pod
    self.containers = containers
    self.exit = exit
    pod.logLost = { self.tellLoss() }
  }

  func serve(_ method: Bytes, _ payload: Bytes, _ call: Call) throws(Malformed) {
    if method.matches("Setup") { return setUp(try SetupRequest(payload), payload, call) }
    if method.matches("List") { return list(call) }
    if method.matches("ReopenLog") { return reopenLog(try TaskRequest(payload), call) }
    if method.matches("AwaitLogLoss") {
      lossCall = (try TaskRequest(payload).third, call)
      return tellLoss()
    }
    if method.matches("Attach") { return attach(try AttachRequest(payload), call) }
    if method.matches("Teardown") { return tearDown(call) }
    call.fail(Failure(.unimplemented, "berth.shim.v1.Pod has no method " + method))
  }

  private func setUp(_ request: SetupRequest, _ message: Bytes, _ call: Call) {
    switch setup {
    case .none:
      if let complaint = request.complaint { return call.fail(complaint) }
      setup = .running(request: message, calls: [call])
      _ = Holder(reaper: pod.reaper, request, directory: pod.directory) { result in self.setUpEnded(result) }
    case .running(message, let calls): setup = .running(request: message, calls: calls + [call])
    case .done(message, let holder): answer(holder, [call])
    default: call.fail(Failure(.alreadyExists, "the pod is set up already, and otherwise"))
    }
  }

  private func setUpEnded(_ result: Result<Holder, Failure>) {
    guard case .running(let request, let calls) = setup else { return }
    switch result {
    case .success(let holder):
      setup = .done(request: request, holder: holder)
      answer(holder, calls)
    case .failure(let failure):
      setup = .none
      for call in calls { call.fail(failure) }
    }
  }

  private func answer(_ holder: Holder, _ calls: [Call]) {
    var response = ProtobufWriter()
    response.put(1, holder.pid)
    for call in calls { call.succeed(response.bytes) }
  }

  private func tellLoss() {
    guard let (known, call) = lossCall, containers.all.reduce(0, { $0 &+ ($1.log?.droppedBytes ?? 0) }) != known else { return }
    lossCall = nil
    list(call)
  }

  private func list(_ call: Call) {
    var response = ProtobufWriter()
    for container in containers.all { response.message(1, container.summary) }
    if case .done(_, let holder) = setup, !holder.isGone { response.put(2, holder.pid) }
    call.succeed(response.bytes)
  }

  private func reopenLog(_ request: TaskRequest, _ call: Call) {
    guard let container = containers.find(request.id, call) else { return }
    guard let log = container.log else { return call.fail(Failure(.failedPrecondition, "container " + request.id + " has no log")) }
    log.reopen { error in
      if error == 0 { return call.succeed() }
      call.fail(Failure(error == ESRCH ? .failedPrecondition : .internal, SystemFailure("log", container.options.logPath, error).message))
    }
  }

  private func attach(_ request: AttachRequest, _ call: Call) {
    if let complaint = request.complaint { return call.fail(complaint) }
    containers.find(request.id, call)?.attach(request, call)
  }

  func tearDown(_ call: Call) {
    if let container = containers.all.first {
      return call.fail(Failure(.failedPrecondition, "container " + container.id + " is not deleted"))
    }
    guard case .done(_, let holder) = setup else { return leave(call) }
    holder.tearDown()
    awaitHolder(holder, call, rounds: 400)
  }

  private func awaitHolder(_ holder: Holder, _ call: Call, rounds: Int) {
    if holder.isGone || rounds == 0 { return leave(call) }
    pod.loop.after(milliseconds: 5) { self.awaitHolder(holder, call, rounds: rounds - 1) }
  }

  private func leave(_ call: Call) {
    call.succeed()
    exit()
  }
}
