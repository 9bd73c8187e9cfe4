import CLinux

/// Takes away all that there is of a container, whoever of those that had it is still alive. Every step is tried; the first failure is told.
struct Deletion {
  /// Together less than a caller has patience, which is 30 s.
  private static let answerLimit: Int64 = 5_000
  private static let shutdownLimit: Int64 = 2_000
  private static let farewell: Int64 = 1_000

  private let container: Container
  private let record: ContainerRecord

  init(_ container: Container, _ record: ContainerRecord) {
    self.container = container
    self.record = record
  }

  func run() throws(Failure) {
    var failure: Failure?
    if record.address.isEmpty { clearUp(&failure) } else if !record.isBeingMade { removeTask(&failure) }
    // Until this one is nobody's, others that go count it in.
    let lock = PodLock(bundle: record.shim.bundle, patience: 2_000)
    defer { lock.release() }
    let isLast = !container.sharesShim(record)
    if !record.address.isEmpty && isLast { letGo(&failure) }
    record.proxy.kill()
    Files.remove(record.shim.bundle + "/log")
    // What a shim that lives is about to open is its guardian's to remove.
    if record.isBeingMade && !isLast { container.forget() } else { container.removeDirectory() }
    if let failure { throw failure }
  }

  /// By the shim; where that is dead by its binary, which must not work beside one that is only slow.
  private func removeTask(_ failure: inout Failure?) {
    guard let client = try? TaskClient(record.address, version: record.version) else { return clearUp(&failure) }
    do throws(Failure) { try removeTask(client) } catch {
      if client.isLost || !record.process.isAlive { return clearUp(&failure) }
      if error.code != .notFound { failure = error.at(record.shim.name + ", container " + container.id) }
    }
  }

  private func removeTask(_ client: TaskClient) throws(Failure) {
    let process = TaskProcess(id: container.id)
    do throws(Failure) {
      try client.call("Kill", process.kill(SIGKILL, all: true), within: Self.answerLimit)
      try client.call("Wait", process.request, within: Self.answerLimit)
    } catch {
      // What has ended cannot be killed.
      if client.isLost || client.isDeaf { throw error }
    }
    try client.call("Delete", process.request, within: Self.answerLimit)
  }

  private func clearUp(_ failure: inout Failure?) {
    do throws(Failure) { try record.shim.delete() } catch { failure = failure ?? error }
  }

  /// A shim without containers goes, politely or not. With one that is killed goes what it could not be asked for.
  private func letGo(_ failure: inout Failure?) {
    if failure == nil, let client = try? TaskClient(record.address, version: record.version) {
      var request = ProtobufWriter()
      request.put(1, container.id)
      _ = try? client.call("Shutdown", request.bytes, within: Self.shutdownLimit)
    }
    if !record.process.ends(within: failure == nil ? Self.farewell : 0) {
      record.process.kill()
      _ = record.process.ends(within: Self.farewell)
      failure = nil
      clearUp(&failure)
    }
    removeSocket()
  }

  /// What a killed shim left. A shim that still listens has other containers.
  private func removeSocket() {
    guard let path = ShimAddress.path(of: record.address) else { return }
    if let fd = try? ShimAddress.connect(record.address) { close(fd) } else { Files.remove(path) }
  }
}
