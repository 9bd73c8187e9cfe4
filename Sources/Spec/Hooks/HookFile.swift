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
  }

  static let stages: Set = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]

  var version: String
  var hook: RuntimeSpec.Hook
  var when: Conditions
  var stages: [String]

  /// Throws which field is wrong, and how.
  static func parse(_ bytes: [UInt8]) throws(DocumentError) -> HookFile {
    let version = try JSONDocument.decode(Version.self, from: bytes, as: "hook").version
    if version != "1.0.0" { throw DocumentError("hook", "version: \"\(version.prefix(64))\", only 1.0.0 is known") }
    let file = try JSONDocument.decode(HookFile.self, from: bytes, as: "hook")
    if let problem = file.problem { throw DocumentError("hook", problem) }
    return file
  }

  /// Older versions look quite different: this is asked first.
  private struct Version: Decodable {
    var version: String
  }

  private var problem: String? {
    if !hook.path.hasPrefix("/") { return "hook.path: \"\(hook.path.prefix(200))\" is not absolute" }
    if !Files.isRegularFile(hook.path) { return "hook.path: \(hook.path.prefix(200)) is not there" }
    if let timeout = hook.timeout, timeout <= 0 { return "hook.timeout: \(timeout) is not positive" }
    if let stage = stages.first(where: { !Self.stages.contains($0) }) { return "stages: \"\(stage.prefix(64))\" is not known" }
    return when.problem
  }
}

extension HookFile.Conditions {
  fileprivate var problem: String? {
    for (name, value) in annotations ?? [:] {
      if !Pattern.isValid(name) { return "when.annotations: \"\(name.prefix(200))\" is no regular expression" }
      if !Pattern.isValid(value) { return "when.annotations: \"\(value.prefix(200))\" is no regular expression" }
    }
    return (commands ?? []).first { !Pattern.isValid($0) }.map { "when.commands: \"\($0.prefix(200))\" is no regular expression" }
  }

  /// All that is said must hold, and at least one thing must be said.
  func hold(for container: (annotations: [String: String], command: String, hasBindMounts: Bool)) -> Bool {
    var answers = [always, hasBindMounts.map { $0 && container.hasBindMounts }].compactMap { $0 }
    for (name, value) in annotations ?? [:] {
      answers.append(container.annotations.contains { Pattern.matches(name, $0.key) && Pattern.matches(value, $0.value) })
    }
    if let commands, !commands.isEmpty { answers.append(commands.contains { Pattern.matches($0, container.command) }) }
    return !answers.isEmpty && answers.allSatisfy { $0 }
  }
}

/// Regular expressions that match anywhere in a text, as hooks are written for.
private enum Pattern {
  static func isValid(_ pattern: String) -> Bool { (try? Regex(pattern)) != nil }

  static func matches(_ pattern: String, _ text: String) -> Bool {
    guard let expression = try? Regex(pattern) else { return false }
    return text.contains(expression)
  }
}
