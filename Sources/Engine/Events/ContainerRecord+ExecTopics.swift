import ContainerdAPI
import Core
import SwiftProtobuf

extension ContainerRecord {
  /// Tells of an exec in containerd's topics; `nil` where nobody listens as it begins.
  func execWatch(_ exchange: EventExchange) -> ExecWatch? {
    guard exchange.isWatched else { return nil }
    let container = id
    return ExecWatch { exec, step in
      switch step {
      case .added:
        exchange.tell(
          "/tasks/exec-added", Containerd_Events_TaskExecAdded.with { ($0.containerID, $0.execID) = (container, exec) })
      case .started(let pid):
        exchange.tell(
          "/tasks/exec-started",
          Containerd_Events_TaskExecStarted.with { ($0.containerID, $0.execID, $0.pid) = (container, exec, UInt32(pid)) })
      case .ended(let pid, let exit):
        exchange.tell(
          "/tasks/exit",
          Containerd_Events_TaskExit.with {
            ($0.containerID, $0.id, $0.pid, $0.exitStatus) = (container, exec, UInt32(pid), exit.status)
            $0.exitedAt = .init(nanoseconds: exit.finishedAt)
          })
      }
    }
  }
}
