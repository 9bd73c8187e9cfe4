/// Key `runtime_type`: what kind of program runs a handler's containers.
package enum RuntimeKind: Equatable, Sendable {
  /// An OCI runtime (runc's command line) under Berth's own shim.
  case oci
  /// CRI-O's word for another's shim of containerd's interface: `path` names it.
  case machine
  /// Another's shim by containerd's name for it, `io.containerd.kata.v2`.
  case named(String)

  /// Nil for what is none. `pod` means conmon-rs in CRI-O, one monitor for a pod with an OCI runtime below it: that is what Berth's own shim is.
  init?(_ text: String) {
    switch text {
    case "", "oci", "pod": self = .oci
    case "vm": self = .machine
    default:
      let parts = text.split(separator: ".", omittingEmptySubsequences: false)
      let isName = parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(Self.isNamePart) }
      guard parts.count >= 2, isName else { return nil }
      self = .named(text)
    }
  }

  private static func isNamePart(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
    default: byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }
  }

  /// Its containers are run by another's shim.
  package var isForeign: Bool { self != .oci }

  /// What the shim's program is called, as containerd forms it from the last two parts: `containerd-shim-kata-v2`. Nil where no name says it.
  package var program: String? {
    guard case .named(let name) = self else { return nil }
    let parts = name.split(separator: ".").suffix(2)
    return "containerd-shim-" + parts.joined(separator: "-")
  }

  /// Where the operator does not say (`is_vm`): as containerd tells.
  var isMachine: Bool {
    switch self {
    case .oci: false
    case .machine: true
    case .named(let name): name.contains("kata")
    }
  }
}

/// Key `io_type`, as containerd's: how the streams of another's shim's containers come to Berth.
package enum StreamType: String, Sendable {
  case fifo
  /// By the shim's Streaming service.
  case streaming
}

extension Configuration.Runtime {
  static let kindComplaint = #"must be "oci", "vm" (with path: the shim's program) or a shim's name like "io.containerd.kata.v2""#

  /// `runtime_type` and what belongs to it. Called when `path` and `inherit_default_runtime` have been read.
  mutating func applyKind(_ table: inout TableReader) throws(SettingsError) {
    let text: String? = try table.take("runtime_type") { RuntimeKind($0) == nil ? "\(Self.kindComplaint), found \"\($0)\"" : nil }
    if let read = text.flatMap(RuntimeKind.init) { kind = read }
    try table.set(&shimConfig, "runtime_config_path", check: Check.absolute)
    try table.set(&shimOptionsType, "runtime_options_type")
    try table.set(&guestsPull, "runtime_pull_image")
    let streams: String? = try table.take("io_type") {
      StreamType(rawValue: $0) == nil ? #"must be "fifo" or "streaming", found "\#($0)""# : nil
    }
    if let streams { streamType = StreamType(rawValue: streams) ?? .fifo }
    var infra: Bool?
    try table.set(&infra, "infra_container")
    if let infra { hasInfraContainer = infra }
    if kind.isForeign { return try checkForeign(table, infra) }
    if shimConfig != nil { throw table.error("runtime_config_path", Self.withoutShim) }
    if shimOptionsType != nil { throw table.error("runtime_options_type", Self.withoutShim) }
    if guestsPull { throw table.error("runtime_pull_image", Self.withoutShim) }
    if streamType != .fifo { throw table.error("io_type", "\"streaming\" " + Self.withoutShim) }
  }

  private static let withoutShim = "is for another's shim: set runtime_type to \"vm\" or to its name"

  private func checkForeign(_ table: TableReader, _ infra: Bool?) throws(SettingsError) {
    let reason = "cannot be beside runtime_type: "
    if kind == .machine, path == nil {
      throw table.error("runtime_type", "\"vm\" needs path: the shim's program, like \"/usr/bin/containerd-shim-kata-v2\"")
    }
    if inheritsProgram { throw table.error("inherit_default_runtime", reason + "a shim is no OCI runtime; remove one of them") }
    if infra == false { throw table.error("infra_container", reason + "another's shim makes the pod with it; remove it") }
    if !platformPrograms.isEmpty { throw table.error("platform_runtime_paths", reason + "those are OCI runtimes; remove it") }
    if takesRuncOptions { return }
    if avoidsPivot { throw table.error("no_pivot_root", reason + "set it in the shim's own configuration") }
    if sharesKeyring { throw table.error("no_new_keyring", reason + "set it in the shim's own configuration") }
  }
}
