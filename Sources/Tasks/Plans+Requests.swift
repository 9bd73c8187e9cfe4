import Core
import Linux
import ShimAPI
import SwiftProtobuf

extension SandboxPlan {
  var request: Berth_Shim_V1_SetupRequest {
    .with {
      $0.sandboxID = id
      $0.network = ownNetwork
      $0.ipc = ownIPC
      $0.uts = ownUTS
      $0.pid = sharedPID
      $0.hostname = hostname
      $0.sysctls = sysctls.sorted { $0.key < $1.key }.map { entry in
        .with {
          $0.name = entry.key
          $0.value = entry.value
        }
      }
      $0.netnsPath = ownNetwork ? netnsPath : ""
      $0.uidMap = idMaps?.userLines ?? ""
      $0.gidMap = idMaps?.groupLines ?? ""
    }
  }
}

extension ContainerPlan {
  var request: Containerd_Task_V3_CreateTaskRequest {
    get throws {
      var request = Containerd_Task_V3_CreateTaskRequest()
      request.id = id
      request.bundle = bundle
      request.terminal = terminal
      request.options.typeURL = Berth_Shim_V1_CreateOptions.protoMessageName
      request.options.value = try options.serializedBytes()
      return request
    }
  }

  private var options: Berth_Shim_V1_CreateOptions {
    .with {
      $0.runtime = runtime
      $0.runtimeRoot = runtimeRoot
      $0.logPath = logPath
      $0.logLineLimit = UInt32(clamping: logLineLimit ?? 0)
      $0.stdin = stdin
      $0.stdinOnce = stdinOnce
      $0.cgroup = cgroup
      $0.sharesPid = sharesPID
      $0.stdioUser = stdioOwner?.user ?? 0
      $0.stdioGroup = stdioOwner?.group ?? 0
      $0.createLimit = UInt32(clamping: creation?.limit ?? 0)
      $0.createOptions = creation?.options ?? []
      $0.systemdCgroup = systemdCgroup ?? false
      $0.rootfs.lower = rootfs.lower
      $0.rootfs.upper = rootfs.upper ?? ""
      $0.rootfs.work = rootfs.work ?? ""
      $0.rootfs.options = rootfs.options
    }
  }
}

extension TaskState {
  init(_ container: Berth_Shim_V1_Container) {
    self.init(
      id: container.id, pid: Int32(container.pid), phase: Phase(container), startedAt: container.startedAt, log: LogCounts(container))
  }
}

extension LogCounts {
  init(_ container: Berth_Shim_V1_Container) {
    self.init()
    (inputBytes, outputBytes) = (container.logBytesIn, container.logBytesOut)
    (records, splits, lost) = (container.logRecords, container.logSplits, container.logBytesDropped)
  }
}

extension TaskState.Phase {
  /// A phase that this daemon does not know yet counts as running: nothing is concluded from it.
  init(_ container: Berth_Shim_V1_Container) {
    switch container.phase {
    case .creating: self = .creating
    case .created: self = .created
    case .running, .UNRECOGNIZED: self = .running
    case .stopped:
      self = .stopped(
        ExitRecord(
          exitCode: container.exitCode, finishedAt: container.finishedAt, oomKilled: container.oomKilled, reason: container.reason,
          message: container.message))
    }
  }
}
