import CRIAPI
import Core
import OCI

/// What the OCI runtime says of a start that failed, in the words of who asked: it knows of files of cgroups, and of no fields.
struct StartFailure {
  private let container: String
  private let config: Runtime_V1_ContainerConfig
  /// What was to be run; empty where the bundle does not say.
  private let program: String

  init(_ record: ContainerRecord) {
    (container, config) = (record.id, record.config.content)
    program = (try? record.process().args.first) ?? ""
  }

  private struct Field {
    let name: String
    let value: String
    /// What the runtime or the kernel says in its place; both versions of cgroups have their own.
    let words: [String]
  }

  /// The same fault; names the field that it is about and what that was given, where this can be told.
  func named(_ fault: Fault) -> Fault {
    let field = fields.first { field in !field.value.isEmpty && field.words.contains { fault.message.contains($0) } }
    guard let field else { return fault }
    // The shim has said which container; the field comes after that.
    let stage = "container \(container): "
    let words = fault.message.hasPrefix(stage) ? fault.message.dropFirst(stage.count) : fault.message[...]
    return Fault(fault.code, "\(stage)\(field.name) \(field.value.prefix(200)): \(words)", cause: fault)
  }

  private var fields: [Field] {
    let (limits, field) = (config.linux.resources, "linux.resources")
    return [
      Field(
        name: "\(field).memory_limit_in_bytes", value: Self.text(limits.memoryLimitInBytes),
        words: ["memory limit", "OOM-killed", "oom-kill", "memory.limit_in_bytes", "memory.max"]),
      Field(
        name: "\(field).memory_swap_limit_in_bytes", value: Self.text(limits.memorySwapLimitInBytes),
        words: ["memory.memsw.limit_in_bytes", "memory.swap.max"]),
      Field(name: "\(field).cpu_quota", value: Self.text(limits.cpuQuota), words: ["cpu.cfs_quota_us", "cpu.cfs_period_us", "cpu.max"]),
      Field(name: "\(field).cpuset_cpus", value: limits.cpusetCpus, words: ["cpuset.cpus"]),
      Field(name: "\(field).cpuset_mems", value: limits.cpusetMems, words: ["cpuset.mems"]),
      Field(name: "working_dir", value: config.workingDir, words: ["chdir to cwd"]),
      Field(name: programField, value: program, words: ["exec: \"", "executable file `", "open executable"]),
    ] + limits.unified.sorted { $0.key < $1.key }.map { Field(name: "\(field).unified[\"\($0)\"]", value: $1, words: [$0]) }
  }

  /// A command may be given in three places (`ContainerCommand`).
  private var programField: String {
    if config.command.first == program { return "command[0]" }
    return config.args.first == program ? "with no command, args[0]" : "with no command, the image's"
  }

  private static func text(_ limit: Int64) -> String { limit == 0 ? "" : "\(limit)" }
}
