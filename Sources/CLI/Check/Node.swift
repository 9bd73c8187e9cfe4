import Linux
import Settings

/// The machine as the checks see it; tests put another one in its place.
struct Node: Sendable {
  /// Files are looked for below this directory; empty for the real machine.
  var root = ""
  var isRoot = Environment.isRoot
  var kernel: @Sendable (KernelFeature) -> SystemError? = { $0.probe() }
  /// Runs a program and returns what it printed; nil where it cannot be started or fails.
  var run: @Sendable (String, [String]) async -> String? = { path, arguments in
    let environment = ["PATH=\(Executables.searchPath.joined(separator: ":"))"]
    let output = try? await Command.run(path, arguments, environment: environment, timeout: .seconds(10))
    return output.flatMap { $0.succeeded ? String(decoding: $0.stdout, as: UTF8.self) : nil }
  }

  /// The file's text without the last line break; nil where it cannot be read.
  func text(_ path: String) -> String? {
    guard let bytes = try? Files.read(root + path) else { return nil }
    let text = String(decoding: bytes, as: UTF8.self)
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  func lines(_ path: String) -> [Substring] { text(path)?.split(separator: "\n") ?? [] }

  func exists(_ path: String) -> Bool { Files.exists(root + path) }

  /// Empty for what is no directory.
  func list(_ path: String) -> [String] { (try? Files.list(root + path)) ?? [] }

  /// Where a program is, as a path on the node.
  func find(_ program: String) -> String? {
    Executables.searchPath.map { "\($0)/\(program)" }.first(where: exists)
  }

  /// What a program prints first when asked for its version.
  func version(of path: String) async -> Substring? {
    await run(root + path, ["--version"])?.split(separator: "\n").first
  }

  /// The mounts of this process, topmost last.
  var mounts: [MountEntry] { lines("/proc/self/mountinfo").compactMap(MountEntry.init(mountinfo:)) }
}

/// A line of /proc/self/mountinfo (proc(5)).
struct MountEntry: Equatable {
  let path: String
  let type: String
  let options: Set<Substring>

  init?(mountinfo line: Substring) {
    let fields = line.split(separator: " ")
    guard fields.count >= 10, let separator = fields.firstIndex(of: "-"), separator + 3 < fields.count else { return nil }
    path = String(fields[4])
    type = String(fields[separator + 1])
    options = Set(fields[separator + 3].split(separator: ","))
  }
}

/// Dotted version numbers, compared part by part; what follows the first part that is no number is left out.
struct VersionNumber: Comparable, CustomStringConvertible {
  let parts: [Int]

  init(_ parts: Int...) { self.parts = parts }

  init?(_ text: some StringProtocol) {
    parts = text.prefix { $0.isNumber || $0 == "." }.split(separator: ".").compactMap { Int($0) }
    if parts.isEmpty { return nil }
  }

  static func < (left: VersionNumber, right: VersionNumber) -> Bool { left.parts.lexicographicallyPrecedes(right.parts) }

  var description: String { parts.map(String.init).joined(separator: ".") }
}
