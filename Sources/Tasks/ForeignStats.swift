package import Core
import Linux
import ShimAPI
import SwiftProtobuf
import TTRPC

/// What another's shim tells of a container that it runs, asked over its own socket: no process is started for that.
package enum ForeignStats {
  private static let patience = Duration.seconds(2)

  /// UNAVAILABLE and the like where the shim does not answer in time, UNIMPLEMENTED where it counts in a way that is not known here.
  package static func figures(of plan: ContainerPlan) async throws -> ForeignFigures {
    let path = "\(plan.runtimeRoot)/\(plan.id)/record"
    let record = try Berth_Runtime_V1_Record(serializedBytes: try Files.read(path, limit: 64 << 10))
    let client = try await connect(record.address)
    defer { client.close() }
    let request = Containerd_Task_V3_StatsRequest.with { $0.id = plan.id }
    let service = "containerd.task.v\(record.version == 3 ? 3 : 2).Task"
    let answer: Containerd_Task_V3_StatsResponse = try await client.call(service, "Stats", request, timeout: patience)
    return try ForeignFigures(answer.stats)
  }

  private static func connect(_ address: String) async throws -> TTRPCClient {
    let scheme = "unix://"
    guard address.hasPrefix(scheme + "/") else { throw Fault(.unimplemented, "\(address) is no socket's path") }
    let path = String(address.dropFirst(scheme.count))
    let name = path.split(separator: "/").last.map(String.init) ?? ""
    let socket = try await BlockingWork.run {
      try UnixSocket.connect(in: Files.parent(of: path), name: name, milliseconds: 1000).release()
    }
    return try await TTRPCClient.adopt(socket: socket)
  }
}

extension ForeignFigures {
  /// Above this a limit means none.
  private static let endless: UInt64 = 1 << 62

  init(_ stats: Google_Protobuf_Any) throws {
    switch stats.typeURL.split(separator: "/").last {
    case "io.containerd.cgroups.v1.Metrics"?: self.init(try Io_Containerd_Cgroups_V1_Metrics(serializedBytes: stats.value))
    case "io.containerd.cgroups.v2.Metrics"?: self.init(try Io_Containerd_Cgroups_V2_Metrics(serializedBytes: stats.value))
    default: throw Fault(.unimplemented, "its figures are of the type \"\(stats.typeURL)\"")
    }
  }

  private init(_ metrics: Io_Containerd_Cgroups_V1_Metrics) {
    let told = metrics.memory
    var memory = MemoryCounters(usage: told.usage.usage)
    memory.limit = told.usage.limit > 0 && told.usage.limit < Self.endless ? told.usage.limit : nil
    (memory.cache, memory.anonymous, memory.mappedFile) = (told.totalCache, told.totalRss, told.totalMappedFile)
    (memory.activeFile, memory.inactiveFile) = (told.totalActiveFile, told.totalInactiveFile)
    (memory.activeAnonymous, memory.inactiveAnonymous) = (told.totalActiveAnon, told.totalInactiveAnon)
    (memory.faults, memory.majorFaults) = (told.totalPgFault, told.totalPgMajFault)
    self.init(cpu: metrics.hasCpu ? metrics.cpu.usage.total : nil, memory: metrics.hasMemory ? memory : nil)
  }

  private init(_ metrics: Io_Containerd_Cgroups_V2_Metrics) {
    let told = metrics.memory
    var memory = MemoryCounters(usage: told.usage)
    memory.limit = told.usageLimit > 0 && told.usageLimit < Self.endless ? told.usageLimit : nil
    (memory.cache, memory.anonymous, memory.mappedFile) = (told.file, told.anon, told.fileMapped)
    (memory.activeFile, memory.inactiveFile) = (told.activeFile, told.inactiveFile)
    (memory.activeAnonymous, memory.inactiveAnonymous) = (told.activeAnon, told.inactiveAnon)
    (memory.faults, memory.majorFaults) = (told.pgfault, told.pgmajfault)
    self.init(cpu: metrics.hasCpu ? metrics.cpu.usageUsec &* 1000 : nil, memory: metrics.hasMemory ? memory : nil)
  }
}
