import CLinux

/// A process that waits for the end of whoever stands for a process of the shim. Those who are killed can pass nothing on: then the guardian has the
/// shim's process killed, too.
enum Guardian {
  private static let patience: Int64 = 5_000

  /// Starts it. The descriptor is held by all who stand for the process; `release` first where all is well.
  static func start(of process: TaskProcess, at address: Bytes, _ client: TaskClient) throws(Failure) -> Int32 {
    var ends: (Int32, Int32) = (-1, -1)
    let made = withUnsafeMutableBytes(of: &ends) { shim_pipe($0.baseAddress!.assumingMemoryBound(to: Int32.self)) }
    guard made == 0 else { throw SystemFailure.failure("pipe for", process.id) }
    let version = client.version
    switch foreign_detach(ends.0) {
    case 0: serve(process, address, version)
    case 1: close(ends.0)
    default: throw SystemFailure.failure("guardian of", process.id)
    }
    return ends.1
  }

  /// The process has ended, or is somebody else's to end.
  static func release(_ descriptor: Int32) {
    _ = Files.writeAll(descriptor, [1])
    close(descriptor)
  }

  private static func serve(_ process: TaskProcess, _ address: Bytes, _ version: Int64) -> Never {
    var said = Bytes()
    shim_rest()
    while Files.appendChunk(3, &said, size: 1) < 0, clinux_errno() == EINTR {}
    if said.isEmpty { try? end(process, address, version) }
    _exit(0)
  }

  private static func end(_ process: TaskProcess, _ address: Bytes, _ version: Int64) throws(Failure) {
    let client = try TaskClient(address, version: version)
    try client.call("Kill", process.kill(SIGKILL, all: process.exec.isEmpty), within: patience)
    guard !process.exec.isEmpty else { return }
    try client.call("Wait", process.request, within: patience)
    try client.call("Delete", process.request, within: patience)
  }
}
