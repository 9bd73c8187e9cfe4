import CLinux

/// Takes away all that there is of a container, whoever of those that had it is still alive. Every step is tried; the first failure is told.
struct Deletion {
  /// Together less than a caller has patience.
  private static let answerLimit: Int64 = 1_500
  private static let farewell: Int64 = 1_000

  private let container: Container
  private let record: ContainerRecord

  init(_ container: Container, _ record: ContainerRecord) {
    self.container = container
    self.record = record
  }

  func run() throws(Failure) {
    var failure: Failure?
    if record.address.isEmpty {
      clearUp(&failure)
    } else {
      removeTask(&failure)
      letGo(&failure)
    }
    record.proxy.kill()
    Files.remove(record.shim.bundle + "/log")
    container.removeDirectory()
    if let failure { throw failure }
  }

  /// By the shim; where that is dead or deaf by its binary.
  private func removeTask(_ failure: inout Failure?) {
    guard let client = try? TaskClient(record.address, version: record.version) else { return clearUp(&failure) }
    do throws(Failure) { try removeTask(client) } catch {
      if client.isLost || client.isDeaf { return clearUp(&failure) }
      if error.code != .notFound { failure = failure ?? error.at(record.shim.name + ", container " + container.id) }
    }
  }

  private func removeTask(_ client: TaskClient) throws(Failure) {
    let process = TaskProcess(id: container.id)
    do throws(Failure) {
      try client.call("Kill", process.kill(SIGKILL, all: true), within: Self.answerLimit)
      try client.call("Wait", process.request, within: Self.answerLimit)
    } catch {
      // What has ended cannot be killed.
      if client.isLost { throw error }
    }
    try client.call("Delete", process.request, within: 2 * Self.answerLimit)
  }

  private func clearUp(_ failure: inout Failure?) {
    do throws(Failure) { try record.shim.delete() } catch { failure = failure ?? error }
  }

  /// A shim without containers goes, politely or not.
  private func letGo(_ failure: inout Failure?) {
    let lock = PodLock(bundle: record.shim.bundle, patience: 2_000)
    defer { lock.release() }
    guard !container.sharesShim(record) else { return }
    if let client = try? TaskClient(record.address, version: record.version) {
      var request = ProtobufWriter()
      request.put(1, container.id)
      _ = try? client.call("Shutdown", request.bytes, within: Self.answerLimit)
    }
    if !record.process.ends(within: Self.farewell) {
      record.process.kill()
      _ = record.process.ends(within: Self.farewell)
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
