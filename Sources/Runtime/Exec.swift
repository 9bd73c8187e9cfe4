import CLinux

/// `exec --process FILE --pid-file FILE [--console-socket SOCKET] --detach ID`
struct Exec {
  private static let clearLimit: Int64 = 2_000

  private let arguments: Arguments
  private let container: Container

  init(_ arguments: Arguments) throws(Failure) {
    self.arguments = arguments
    container = try arguments.container
  }

  func run() throws(Failure) {
    let record = try container.knownRecord
    let path = try arguments.required("--process", "-p")
    guard let spec = Files.read(path, last: 4 << 20), !spec.isEmpty else { throw SystemFailure.failure("process", path) }
    let process = TaskProcess(id: container.id, exec: name)
    let client = try TaskClient(record.address, version: record.version)
    let birth = try Birth(process, of: record, in: container, arguments)
    var request = ProtobufWriter()
    request.put(1, process.id)
    request.put(2, process.exec)
    birth.streams.put(in: &request, from: 3)
    request.put(7, ShimOptions.any(Bytes("types.containerd.io/opencontainers/runtime-spec/1/Process"), spec))
    _ = try birth.run(client) { () throws(Failure) in
      try client.call("Exec", request.bytes)
      do throws(Failure) {
        let pid = Int32(truncatingIfNeeded: TaskProcess.number(1, of: try client.call("Start", process.request)))
        shareScore(of: pid, record.process.pid)
        return pid
      } catch {
        _ = try? client.call("Delete", process.request, within: Self.clearLimit)
        throw error
      }
    }
  }

  /// berthd corrects what has the score that the proxy has: it has to be that of the process, where that is a child of the shim and so on this
  /// machine.
  private func shareScore(of pid: Int32, _ shim: Int32) {
    let directory = "/proc/" + Bytes(decimal: pid)
    guard pid > 0, let status = Files.read(directory + "/status"), let place = status.find("\nPPid:\t") else { return }
    guard Bytes(status[(place + 7)...].prefix { $0 != 10 }).number == Int64(shim) else { return }
    if let score = Files.read(directory + "/oom_score_adj") { Files.write(Bytes("/proc/self/oom_score_adj"), score) }
  }

  /// Of its own as long as the machine runs.
  private var name: Bytes { "exec-" + Bytes(decimal: getpid()) + "-" + Bytes(decimal: shim_monotonic()) }
}
