import ContainerdAPI
import Core
import Linux
import SwiftProtobuf

extension SandboxRecord {
  /// The holder of a pod ends by SIGKILL, with its shim or after it.
  private static let exitStatus: UInt32 = 137

  /// What happened between `before` and this, as containerd's sandbox controller tells it. There is no topic for a sandbox that is removed.
  func tell(_ exchange: EventExchange, from before: SandboxRecord?) {
    guard exchange.isWatched else { return }
    for kind in changes(from: before) {
      switch kind {
      case .created: exchange.tell("/sandboxes/create", Containerd_Events_SandboxCreate.with { $0.sandboxID = id })
      case .started: exchange.tell("/sandboxes/start", Containerd_Events_SandboxStart.with { $0.sandboxID = id })
      case .stopped: tellExit(exchange)
      case .deleted: break
      }
    }
  }

  private func tellExit(_ exchange: EventExchange) {
    let now = SystemClock.realtimeNanoseconds()
    exchange.tell(
      "/sandboxes/exit", at: now,
      Containerd_Events_SandboxExit.with {
        $0.sandboxID = id
        $0.exitStatus = Self.exitStatus
        $0.exitedAt = .init(nanoseconds: now)
      })
  }
}
