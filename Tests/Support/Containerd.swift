import CLinux
import Core
package import Linux

/// Debian's containerd without pods, for what its client does with registries. Directories and socket of its own.
package struct Containerd: Sendable {
  private let scratch: String

  private static let environment = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
  private static let unwanted = [
    "io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.devmapper",
    "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.opt", "io.containerd.internal.v1.tracing",
    "io.containerd.tracing.processor.v1.otlp",
  ]

  private var socket: String { scratch + "/c.sock" }

  /// Runs it while `body` runs.
  package static func with<T>(isolation: isolated (any Actor)? = #isolation, _ body: (Containerd) async throws -> T) async throws -> T {
    try await withScratch("containerd") { scratch in
      let containerd = Containerd(scratch: scratch)
      let disabled = unwanted.map { "\"\($0)\"" }.joined(separator: ", ")
      try Files.write(
        "version = 2\nroot = \"\(scratch)/root\"\nstate = \"\(scratch)/state\"\ndisabled_plugins = [\(disabled)]\n[grpc]\naddress = \"\(containerd.socket)\"\n",
        to: scratch + "/config.toml")
      let null = try FileHandle.open("/dev/null", O_RDWR)
      let log = try FileHandle.open(scratch + "/log", O_WRONLY | O_CREAT)
      var spawn = Spawn("/usr/bin/containerd", ["--config", scratch + "/config.toml"], descriptors: [null.raw, log.raw, log.raw])
      spawn.environment = environment
      let process = try spawn.start()
      defer {
        kill(process.pid, SIGKILL)
        _ = process.ended(within: -1)
        _ = try? process.reap()
        try? Mounts.unmountAll(below: scratch)
      }
      for _ in 0..<400 {
        if try await containerd.ctr("version").succeeded { return try await body(containerd) }
        if process.ended(within: 25) { break }
      }
      throw Fault(.unavailable, "containerd does not serve: \(String(decoding: (try? Files.read(scratch + "/log")) ?? [], as: UTF8.self))")
    }
  }

  package func ctr(_ arguments: String...) async throws -> Command.Output {
    try await Command.run("/usr/bin/ctr", ["--address", socket] + arguments, environment: Self.environment, timeout: .seconds(60))
  }
}
