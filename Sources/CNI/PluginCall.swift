import Core
import Linux

/// The operations of a plugin (CNI specification, section 2).
enum Verb: String, Sendable {
  case add = "ADD"
  case delete = "DEL"
  case check = "CHECK"
  case status = "STATUS"
  case collect = "GC"
}

/// Whom a plugin acts on: the parameters of the specification's environment variables.
struct Target: Sendable, Equatable {
  var containerID: String
  /// Empty when the namespace is gone, which DEL accepts.
  var netns: String
  var ifName = "eth0"
  /// `NAME=value;…`
  var arguments: String
}

/// Where plugins are looked for, the environment they run in, and where their calls are counted.
struct PluginDirectories: Sendable {
  let paths: [String]
  fileprivate let metrics: Metrics
  private let inherited: [String]

  init(_ paths: [String], _ metrics: Metrics = Metrics()) {
    self.paths = paths
    self.metrics = metrics
    inherited = Self.inheritable(ProcessEnvironment.strings)
  }

  /// The first directory's that has it. FAILED_PRECONDITION names the directories that were searched.
  func find(_ type: String) throws(Fault) -> String {
    for directory in paths where Files.isRegularFile("\(directory)/\(type)") { return "\(directory)/\(type)" }
    throw Fault(.failedPrecondition, "not found in \(paths.isEmpty ? "no directory" : paths.joined(separator: ", "))")
  }

  func environment(_ verb: Verb, _ target: Target?) -> [String] {
    var variables = inherited + ["CNI_COMMAND=\(verb.rawValue)", "CNI_PATH=\(paths.joined(separator: ":"))"]
    if let target {
      variables += [
        "CNI_CONTAINERID=\(target.containerID)", "CNI_NETNS=\(target.netns)", "CNI_IFNAME=\(target.ifName)", "CNI_ARGS=\(target.arguments)",
      ]
    }
    return variables
  }

  /// Plugins find iptables by PATH; what systemd told this process is not for them.
  private static func inheritable(_ strings: [String]) -> [String] {
    let own = ["CNI_", "OTEL_", "NOTIFY_SOCKET=", "LISTEN_", "WATCHDOG_", "INVOCATION_ID="]
    let kept = strings.filter { string in !own.contains { string.hasPrefix($0) } }
    guard !kept.contains(where: { $0.hasPrefix("PATH=") }) else { return kept }
    return kept + ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
  }
}

/// Runs one plugin once, and turns whatever comes of it into a result or a fault that begins with `plugin "<type>" <verb>`.
struct PluginCall: Sendable {
  let verb: Verb
  let plugin: String
  let target: Target?
  let input: JSON

  /// The result's JSON; nil where the verb has none. `deadline` bounds the call: past it the plugin is killed with all it started.
  func run(in directories: PluginDirectories, until deadline: ContinuousClock.Instant) async throws(Fault) -> JSON? {
    let (labels, began) = ([plugin, verb.rawValue], ContinuousClock.now)
    defer {
      directories.metrics.add(.networkCalls, labels: labels)
      directories.metrics.observe(.networkSeconds, since: began, labels: labels)
    }
    do throws(Fault) { return try await called(directories, deadline) } catch {
      directories.metrics.add(.networkErrors, labels: labels)
      throw error
    }
  }

  private func called(_ directories: PluginDirectories, _ deadline: ContinuousClock.Instant) async throws(Fault) -> JSON? {
    try await stage("plugin \"\(plugin)\" \(verb.rawValue)") {
      try await traced("cni.\(verb.rawValue)", attributes, as: .client) { try await runNow(in: directories, until: deadline) }
    }
  }

  private var attributes: SpanAttributes {
    [
      "cni.plugin": .string(plugin), "cni.network": (input["name"]?.string).map { .string($0) },
      "berth.sandbox.id": target.map { .string($0.containerID) }, "cni.interface": target.map { .string($0.ifName) },
      "cni.netns": target.map { .string($0.netns) },
    ]
  }

  private func runNow(in directories: PluginDirectories, until deadline: ContinuousClock.Instant) async throws -> JSON? {
    let path = try directories.find(plugin)
    let start = ContinuousClock.now
    guard start < deadline else { throw Fault(.deadlineExceeded, "not started: no time was left for it") }
    let output = try await Command.run(
      path, environment: directories.environment(verb, target), input: input.bytes, timeout: start.duration(to: deadline),
      outputLimit: PluginOutput.limit)
    if output.ending == .timedOut { throw Fault(.deadlineExceeded, PluginOutput(output).timeout(start.duration(to: .now))) }
    guard output.succeeded else { throw PluginOutput(output).failure }
    return verb == .add ? try PluginOutput(output).result() : nil
  }
}

/// What a plugin wrote before it ended.
private struct PluginOutput {
  static let limit = 1 << 20
  /// Of text that goes into an error: the end of it, which is where programs say why they stopped.
  private static let shown = 1024

  private let output: Command.Output

  init(_ output: Command.Output) { self.output = output }

  func result() throws(Fault) -> JSON {
    guard !output.truncated else { throw Fault(.internal, "its result is longer than \(Self.limit) bytes") }
    let json: JSON
    do { json = try JSON(parsing: output.stdout) } catch { throw Fault(.internal, "its result is \(error)\(quotation)") }
    guard json.members != nil else { throw Fault(.internal, "its result is not a JSON object\(quotation)") }
    return json
  }

  /// The error the plugin reported (specification, section 5, "Error"), else what it wrote to stderr.
  var failure: Fault {
    guard let json = try? JSON(parsing: output.stdout), let message = json["msg"]?.string, !message.isEmpty else {
      return Fault(.internal, ending + quotation)
    }
    let details = json["details"]?.string ?? ""
    return Fault(Self.code(json["code"]?.integer), Self.bounded(details.isEmpty ? message : "\(message): \(details)"))
  }

  func timeout(_ time: Duration) -> String {
    "no answer after \(time.components.seconds) s: killed" + quotation
  }

  private var ending: String {
    switch output.ending {
    case .exited(let code): "exit code \(code)"
    case .signalled(let signal): "killed by signal \(signal)"
    case .timedOut: "killed at its deadline"
    }
  }

  /// stderr, or for want of it stdout.
  private var quotation: String {
    let text = Self.bounded(String(decoding: output.stderr.isEmpty ? output.stdout : output.stderr, as: UTF8.self))
    return text.isEmpty ? "" : ": \(text)"
  }

  private static func bounded(_ text: String) -> String {
    let trimmed = text.drop { $0.isWhitespace || $0.isNewline }.reversed().drop { $0.isWhitespace || $0.isNewline }.reversed()
    return trimmed.count <= shown ? String(trimmed) : "…" + String(trimmed.suffix(shown))
  }

  /// 4 is an invalid parameter of ours, 11 asks to try again later, 50 and 51 say that the network does not work (yet).
  private static func code(_ code: Int?) -> Fault.Code {
    switch code {
    case 4: .invalidArgument
    case 11, 50, 51: .unavailable
    default: .internal
    }
  }
}
