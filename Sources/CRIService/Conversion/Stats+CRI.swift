import CRIAPI
import Core
import Engine
import GRPC
import Linux
import SwiftProtobuf

extension Runtime_V1_UInt64Value {
  static func of(_ value: UInt64) -> Runtime_V1_UInt64Value { .with { $0.value = value } }
}

extension GroupUsage {
  var criCPU: Runtime_V1_CpuUsage {
    .with {
      $0.timestamp = at
      if let cpu { $0.usageCoreNanoSeconds = .of(cpu) }
      if let nanoCores { $0.usageNanoCores = .of(nanoCores) }
      if let cpuPressure { $0.psi = cpuPressure.cri }
    }
  }

  func criMemory(_ memory: MemoryCounters) -> Runtime_V1_MemoryUsage {
    .with {
      $0.timestamp = at
      $0.workingSetBytes = .of(memory.workingSet)
      if let available = memory.available { $0.availableBytes = .of(available) }
      $0.usageBytes = .of(memory.usage)
      $0.rssBytes = .of(memory.anonymous)
      $0.pageFaults = .of(memory.faults)
      $0.majorPageFaults = .of(memory.majorFaults)
      if let memoryPressure { $0.psi = memoryPressure.cri }
    }
  }

  func criSwap(_ memory: MemoryCounters) -> Runtime_V1_SwapUsage? {
    guard let swap = memory.swap else { return nil }
    return .with {
      $0.timestamp = at
      $0.swapUsageBytes = .of(swap)
      if let available = memory.swapAvailable { $0.swapAvailableBytes = .of(available) }
    }
  }

  var criIO: Runtime_V1_IoUsage? {
    ioPressure.map { pressure in
      .with {
        $0.timestamp = at
        $0.psi = pressure.cri
      }
    }
  }
}

extension Pressure {
  var cri: Runtime_V1_PsiStats {
    .with {
      $0.full = full.cri
      $0.some = some.cri
    }
  }
}

extension Pressure.Line {
  var cri: Runtime_V1_PsiData {
    .with {
      $0.total = total
      $0.avg10 = average10
      $0.avg60 = average60
      $0.avg300 = average300
    }
  }
}

extension ContainerUsage {
  /// Everything but the attributes.
  var criFigures: Runtime_V1_ContainerStats {
    .with {
      if let group {
        $0.cpu = group.criCPU
        if let memory = group.memory {
          $0.memory = group.criMemory(memory)
          if let swap = group.criSwap(memory) { $0.swap = swap }
        }
        if let io = group.criIO { $0.io = io }
      }
      if let writable {
        $0.writableLayer = .with {
          $0.timestamp = writable.at
          $0.fsID = .with { $0.mountpoint = writablePath }
          $0.usedBytes = .of(UInt64(clamping: writable.usage.bytes))
          $0.inodesUsed = .of(UInt64(clamping: writable.usage.inodes))
        }
      }
    }
  }

  /// Encoded in two parts: protobuf takes parts of one message behind each other for the whole.
  var encoded: [[UInt8]] { [entry.criAttributes, Wire.encode(criFigures)] }
}

extension PodUsage {
  /// Everything but the attributes.
  private var criFigures: Runtime_V1_PodSandboxStats {
    .with {
      $0.linux = .with {
        if let group {
          $0.cpu = group.criCPU
          if let memory = group.memory { $0.memory = group.criMemory(memory) }
          if let io = group.criIO { $0.io = io }
          if let processes {
            $0.process = .with {
              $0.timestamp = group.at
              $0.processCount = .of(processes)
            }
          }
          if let network { $0.network = Self.cri(network, group.at) }
        }
      }
    }
  }

  private static func cri(_ interfaces: [NetworkCounters], _ at: Int64) -> Runtime_V1_NetworkUsage {
    // CNI names the pod's interface eth0; a plugin that does not still gives one that is not loopback.
    let standard = interfaces.first { $0.name == "eth0" } ?? interfaces.first { $0.name != "lo" }
    return .with {
      $0.timestamp = at
      if let standard { $0.defaultInterface = standard.cri }
      $0.interfaces = interfaces.filter { $0.name != standard?.name }.map(\.cri)
    }
  }

  /// Field 2 of PodSandboxStats with field 5 of LinuxPodSandboxStats, once for each container, after the rest.
  var encoded: [[UInt8]] {
    var members = EncodedMessage()
    for container in containers { members.append(field: 5, container.encoded) }
    var linux = EncodedMessage()
    linux.append(field: 2, [members.bytes])
    return [entry.criAttributes, Wire.encode(criFigures), linux.bytes]
  }
}

extension NetworkCounters {
  var cri: Runtime_V1_NetworkInterfaceUsage {
    .with {
      $0.name = name
      $0.rxBytes = .of(receivedBytes)
      $0.rxErrors = .of(receiveErrors)
      $0.txBytes = .of(sentBytes)
      $0.txErrors = .of(sendErrors)
    }
  }
}
