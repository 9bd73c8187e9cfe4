import Core
import Linux
import Logging

/// Memory that ran out where only a container's own shim sees it, as in a virtual machine.
extension PodService {
  /// A shim says so of one of its containers. Told with the container's end, if it comes of that.
  package func noteOutOfMemory(_ container: String) async {
    guard let record = try? ledger.container(container), let pod = try? podOf(record) else { return }
    await pod.noteOutOfMemory(container)
  }
}

extension Pod {
  /// SIGKILL, as the kernel ends who takes too much.
  private static let killed: Int32 = 137
  /// An end within so many nanoseconds is due to that.
  private static let nearness: Int64 = 10_000_000_000

  /// What is said and what ends may come in either order.
  func noteOutOfMemory(_ container: String) {
    let now = SystemClock.realtimeNanoseconds()
    guard let record = try? ledger.container(container) else { return }
    guard let exit = record.exit else { return outOfMemory[container] = now }
    guard !exit.oomKilled, let late = Self.blame(exit, at: now) else { return }
    do {
      let record = try ledger.updateContainer(container) { $0.state = .exited(late) }
      record.tellOutOfMemory(ledger.exchange)
      countOutOfMemory(record, late)
    } catch { logger.error("container \(container): that its memory ran out could not be recorded: \(Fault(error))") }
  }

  /// The end as it is to be recorded, with what its shim said of it.
  func blamed(_ exit: ExitRecord, of container: String) -> ExitRecord {
    guard let time = outOfMemory.removeValue(forKey: container) else { return exit }
    return Self.blame(exit, at: time) ?? exit
  }

  private static func blame(_ exit: ExitRecord, at time: Int64) -> ExitRecord? {
    guard exit.exitCode == killed, exit.reason.isEmpty, abs(exit.finishedAt - time) < nearness else { return nil }
    var exit = exit
    exit.oomKilled = true
    return exit
  }
}
