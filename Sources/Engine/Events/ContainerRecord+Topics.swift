import CRIAPI
import ContainerdAPI
import Core
import SwiftProtobuf

/// What happens to a container, in containerd's topics: its record is the container, its process the task.
extension ContainerRecord {
  /// What happened between `before` and this. A command that could not be started was never a task.
  func tell(_ exchange: EventExchange, from before: ContainerRecord?) {
    guard exchange.isWatched else { return }
    switch change(from: before) {
    case .created: tellCreated(exchange)
    case .started: tellStarted(exchange)
    case .stopped: if let exit, exit.reason != "StartError" { tellExit(exchange, exit) }
    case .deleted: break
    case nil: if let before, isUpdated(since: before) { tellUpdated(exchange) }
    }
  }

  func tellRemoved(_ exchange: EventExchange) {
    exchange.tell("/containers/delete", Containerd_Events_ContainerDelete.with { $0.id = id })
  }

  func tellOutOfMemory(_ exchange: EventExchange) { exchange.tell("/tasks/oom", Containerd_Events_TaskOOM.with { $0.containerID = id }) }

  /// Nothing of its process is left.
  func tellDeleted(_ exchange: EventExchange) {
    exchange.tell(
      "/tasks/delete",
      Containerd_Events_TaskDelete.with {
        $0.containerID = id
        $0.pid = UInt32(pid)
        $0.id = id
        if let exit { ($0.exitStatus, $0.exitedAt) = (exit.status, .init(nanoseconds: exit.finishedAt)) }
      })
  }

  /// A name of its image.
  private var imageName: String {
    let asked = config.content.image.userSpecifiedImage
    return asked.isEmpty ? imageRef : asked
  }

  private func isUpdated(since before: ContainerRecord) -> Bool {
    updatedResources != before.updatedResources || updateAnnotations != before.updateAnnotations
  }

  private func tellCreated(_ exchange: EventExchange) {
    exchange.tell(
      "/containers/create",
      Containerd_Events_ContainerCreate.with {
        $0.id = id
        $0.image = imageName
        $0.runtime.name = plan.runtime
      })
  }

  private func tellUpdated(_ exchange: EventExchange) {
    exchange.tell(
      "/containers/update",
      Containerd_Events_ContainerUpdate.with {
        $0.id = id
        $0.image = imageName
        $0.labels = labels
        $0.snapshotKey = id
      })
  }

  /// That the runtime has made it is known with its start.
  private func tellStarted(_ exchange: EventExchange) {
    exchange.tell(
      "/tasks/create",
      Containerd_Events_TaskCreate.with {
        $0.containerID = id
        $0.bundle = plan.bundle
        $0.rootfs = [plan.rootfs.event]
        $0.io.terminal = plan.terminal
        $0.pid = UInt32(pid)
      })
    exchange.tell(
      "/tasks/start",
      Containerd_Events_TaskStart.with {
        $0.containerID = id
        $0.pid = UInt32(pid)
      })
  }

  private func tellExit(_ exchange: EventExchange, _ exit: ExitRecord) {
    if exit.oomKilled { tellOutOfMemory(exchange) }
    exchange.tell(
      "/tasks/exit",
      Containerd_Events_TaskExit.with {
        $0.containerID = id
        $0.id = id
        $0.pid = UInt32(pid)
        $0.exitStatus = exit.status
        $0.exitedAt = .init(nanoseconds: exit.finishedAt)
      })
  }
}

extension ExitRecord {
  var status: UInt32 { UInt32(bitPattern: exitCode) }
}

extension RootfsMount {
  fileprivate var event: Containerd_Types_Mount {
    .with {
      $0.type = isPlain ? "bind" : "overlay"
      $0.source = isPlain ? upper ?? "" : "overlay"
      $0.options = isPlain ? ["rbind", "rw"] : overlayOptions
    }
  }

  private var overlayOptions: [String] {
    let writable = [upper.map { "upperdir=\($0)" }, work.map { "workdir=\($0)" }].compactMap(\.self)
    return options + ["lowerdir=" + lower.joined(separator: ":")] + writable
  }
}
