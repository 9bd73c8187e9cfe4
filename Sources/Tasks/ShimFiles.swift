import Core
import FoundationEssentials
import Linux

/// What lies in a sandbox's directory for its shim.
struct ShimFiles: Sendable {
  static let socketName = "shim.sock"

  let directory: String

  var socket: String { "\(directory)/\(Self.socketName)" }
  var log: String { directory + "/shim.log" }
  var state: String { directory + "/shim.json" }
  /// Written by the shim at a container's end, so that a dead shim's containers keep their exit codes.
  func exit(_ container: String) -> String { "\(directory)/exits/\(container)" }

  /// The FIFO that a container without a terminal reads as stdin, made by the shim unless it needs a label.
  func input(_ container: String) -> String { "\(directory)/stdin-\(container)" }

  /// Nil where there is none, or where it is damaged: then the end is unknown.
  func exitRecord(_ container: String) -> ExitRecord? {
    guard let bytes = try? Files.read(exit(container), limit: 1 << 20) else { return nil }
    return try? JSONDecoder().decode(ExitRecord.self, from: Data(bytes))
  }

  /// What the shim said last, for a fault's message.
  func lastWords(limit: Int = 1024) -> String {
    guard let bytes = try? Files.read(log, limit: 1 << 20) else { return "" }
    let text = String(decoding: bytes.suffix(limit), as: UTF8.self)
    return text.split(separator: "\n").suffix(4).joined(separator: "; ")
  }

  /// The shim's own files; the rest of the directory is its maker's.
  func remove() throws(SystemError) {
    for path in [socket, state, log] { try Files.remove(path) }
  }
}

/// `shim.json`: enough to find the shim again, and not to mistake another process for it.
struct ShimState: Codable, Sendable, Hashable {
  var pid: Int32
  /// Clock ticks since boot, field 22 of /proc/PID/stat.
  var startTime: UInt64
  var holder: Int32
  /// Cgroup directories that were made for this sandbox, parents included: removed with it if empty.
  var cgroups: [String]

  static func load(_ files: ShimFiles) throws -> ShimState {
    let bytes = try Files.read(files.state, limit: 1 << 20)
    return try JSONDecoder().decode(ShimState.self, from: Data(bytes))
  }

  /// Not synced: it is worth nothing after a reboot, and lies on tmpfs.
  func save(_ files: ShimFiles) throws {
    try Files.replace(files.state, with: Array(try JSONEncoder().encode(self)), durable: false)
  }

  /// The recorded process, if it still is that process.
  func process() -> Pidfd? {
    guard let process = try? Pidfd.open(pid), ProcessTable.startTime(pid) == startTime, !process.hasEnded else { return nil }
    return process
  }
}
