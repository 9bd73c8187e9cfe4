import CLinux

extension Container {
  /// berth.shim.v1.Container.Phase
  private var phaseNumber: UInt64 {
    switch phase {
    case .creating: 0
    case .created, .starting: 1
    case .running, .ending: 2
    case .stopped: 3
    }
  }

  /// containerd.v1.types.Status
  private var statusNumber: UInt64 {
    switch phase {
    case .creating: 0
    case .created, .starting: 1
    case .running, .ending: isPaused ? 4 : 2
    case .stopped: 3
    }
  }

  /// berth.shim.v1.Container
  var summary: Bytes {
    var message = ProtobufWriter()
    message.put(1, id)
    message.put(2, pid)
    message.put(3, phaseNumber)
    message.put(4, startedAt)
    if let exit {
      message.put(5, exit.finishedAt)
      message.put(6, exit.code)
      message.put(7, exit.oomKilled)
      message.put(8, exit.reason)
      message.put(9, exit.failure?.message.utf8Text ?? [])
    }
    if let log {
      message.put(10, log.droppedBytes)
      message.put(11, log.counts.bytesIn.now)
      message.put(12, log.counts.bytesOut.now)
      message.put(13, log.counts.records.now)
      message.put(14, log.counts.splits.now)
    }
    return message.bytes
  }

  /// containerd's StateResponse
  var state: Bytes {
    var message = ProtobufWriter()
    message.put(1, id)
    message.put(2, bundle)
    message.put(3, pid)
    message.put(4, statusNumber)
    message.put(8, terminal)
    if let exit {
      message.put(9, UInt64(UInt32(bitPattern: exit.code)))
      message.timestamp(10, exit.finishedAt)
    }
    return message.bytes
  }

  /// containerd's PidsResponse
  var processList: Bytes {
    var message = ProtobufWriter()
    for pid in cgroup.path.isEmpty ? [pid] : cgroup.processes {
      var process = ProtobufWriter()
      process.put(1, pid)
      message.message(1, process.bytes)
    }
    return message.bytes
  }
}
