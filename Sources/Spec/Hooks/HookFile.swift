import FoundationEssentials
import Linux
import OCI

/// A file that says which program is to run at which points of which containers' lives (containers/common, oci-hooks(5), version 1.0.0).
struct HookFile: Sendable, Decodable {
  struct Conditions: Sendable, Decodable {
    var always: Bool?
    /// Patterns of names and of their values.
    var annotations: [String: String]?
    /// Patterns of the program that the container runs.
    var commands: [String]?
    var hasBindMounts: Bool?
    /// One of them is enough: what version 0.1.0 meant.
    var isAnyEnough: Bool?

    private enum CodingKeys: CodingKey {
      case always, annotations, commands, hasBindMounts
    }
  }

  static let stages: Set = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]

  var hook: RuntimeSpec.Hook
  var when: Conditions
  var stages: [String]

  /// Throws which field is wrong, and how.
  static func parse(_ bytes: [UInt8]) throws(DocumentError) -> HookFile {
    let version = try JSONDocument.decode(Version.self, from: bytes, as: "hook").version ?? ""
    let file: HookFile
    switch version {
    case "1.0.0": file = try JSONDocument.decode(HookFile.self, from: bytes, as: "hook")
    case "0.1.0", "": file = try HookFile(JSONDocument.decode(FormerHookFile.self, from: bytes, as: "hook"))
    default: throw DocumentError("hook", "version: \"\(version.prefix(64))\", only 1.0.0 and 0.1.0 are known")
    }
    if let problem = file.problem { throw DocumentError("hook", problem) }
    return file
  }

  /// Versions look quite different: this is asked first.
  private struct Version: Decodable {
    var version: String?
  }

  private var problem: String? {
    if !hook.path.hasPrefix("/") { return "hook.path: \"\(hook.path.prefix(200))\" is not absolute" }
    if !Files.isRegularFile(hook.path) { return "hook.path: \(hook.path.prefix(200)) is not there" }
    if let timeout = hook.timeout, timeout <= 0 { return "hook.timeout: \(timeout) is not positive" }
    if let stage = stages.first(where: { !Self.stages.contains($0) }) { return "stages: \"\(stage.prefix(64))\" is not known" }
    return when.problem
  }
}

/// A file of version 0.1.0, or without one, as CRI-O still reads them.
private struct FormerHookFile: Decodable {
  var hook: String
  var arguments: [String]?
  var stages: [String]?
  var stage: [String]?
  var cmds: [String]?
  var cmd: [String]?
  var annotations: [String]?
  var annotation: [String]?
  var hasbindmounts: Bool?

  /// Each list had two names.
  static func one(_ first: [String]?, _ second: [String]?, _ name: String) throws(DocumentError) -> [String]? {
    if first != nil, second != nil { throw DocumentError("hook", "\(name) and \(name)s are both there") }
    return first ?? second
  }
}

extension HookFile {
  fileprivate init(_ former: FormerHookFile) throws(DocumentError) {
    hook = RuntimeSpec.Hook(path: former.hook, args: former.arguments.map { [former.hook] + $0 })
    guard let stages = try FormerHookFile.one(former.stages, former.stage, "stage") else {
      throw DocumentError("hook", "stages is missing")
    }
    self.stages = stages
    when = Conditions()
    when.commands = try FormerHookFile.one(former.cmds, former.cmd, "cmd")
    let values = try FormerHookFile.one(former.annotations, former.annotation, "annotation")
    when.annotations = values.map { [".*": $0.joined(separator: "|")] }
    when.hasBindMounts = former.hasbindmounts
    when.isAnyEnough = true
  }
}

extension HookFile.Conditions {
  fileprivate var problem: String? {
    for (name, value) in annotations ?? [:] {
      if let problem = Self.problem("annotations", name) ?? Self.problem("annotations", value) { return problem }
    }
    return (commands ?? []).lazy.compactMap { Self.problem("commands", $0) }.first
  }

  private static func problem(_ field: String, _ pattern: String) -> String? {
    do throws(PatternError) {
      _ = try Pattern(pattern)
      return nil
    } catch { return "when.\(field): \"\(pattern.prefix(200))\" is no regular expression: \(error.reason)" }
  }

  /// All that is said must hold, or any of it where that is enough, and at least one thing must be said.
  func hold(for container: (annotations: [String: String], command: String, hasBindMounts: Bool)) -> Bool {
    var answers = [always, hasBindMounts.map { $0 && container.hasBindMounts }].compactMap { $0 }
    for (name, value) in annotations ?? [:] {
      guard let name = try? Pattern(name), let value = try? Pattern(value) else { return false }
      answers.append(container.annotations.contains { name.matches($0.key) && value.matches($0.value) })
    }
    if let commands, !commands.isEmpty { answers.append(commands.contains { (try? Pattern($0))?.matches(container.command) == true }) }
    return isAnyEnough == true ? answers.contains(true) : !answers.isEmpty && answers.allSatisfy { $0 }
  }
}
