import CLinux

/// runc's command line, as far as it is spoken here: `[global options] verb [options] ID [words]`.
struct Arguments {
  private(set) var verb = Bytes()
  private(set) var operands: [Bytes] = []
  private var values: [(name: Bytes, value: Bytes)] = []
  private var flags: [Bytes] = []

  private static func takesValue(_ name: Bytes) -> Bool {
    let names: [StaticString] = [
      "--root", "--log", "--log-format", "--bundle", "-b", "--pid-file", "--console-socket", "--process", "-p", "--resources", "-r",
      "--format", "-f",
    ]
    return names.contains { name.matches($0) }
  }

  private static func isFlag(_ name: Bytes) -> Bool {
    let names: [StaticString] = [
      "--systemd-cgroup", "--no-pivot", "--no-new-keyring", "--all", "-a", "--force", "-f", "--detach", "-d", "--debug", "--version", "-v",
    ]
    return names.contains { name.matches($0) }
  }

  init(_ words: [Bytes]) throws(Failure) {
    var rest = words[...]
    while let word = rest.popFirst() {
      guard word.first == 45, word.count > 1 else {
        take(operand: word)
        continue
      }
      let parts = word.split(separator: 61, maxSplits: 1, omittingEmptySubsequences: false).map { Bytes($0) }
      if isForce(word) || (parts.count == 1 && Self.isFlag(word) && !Self.takesValue(word)) {
        flags.append(word)
      } else if Self.takesValue(parts[0]) {
        guard let value = parts.count > 1 ? parts[1] : rest.popFirst() else { throw Failure(.invalidArgument, parts[0] + " needs a value") }
        values.append((parts[0], value))
      } else {
        throw Failure(.invalidArgument, "there is no option " + word)
      }
    }
  }

  /// `-f` is `--force` of delete and `--format` of ps.
  private func isForce(_ word: Bytes) -> Bool { word.matches("-f") && verb.matches("delete") }

  private mutating func take(operand: Bytes) {
    if verb.isEmpty { verb = operand } else { operands.append(operand) }
  }

  /// The last one given counts.
  func value(_ name: StaticString, _ short: StaticString = "") -> Bytes? {
    values.last { $0.name.matches(name) || $0.name.matches(short) }?.value
  }

  func has(_ name: StaticString, _ short: StaticString = "") -> Bool { flags.contains { $0.matches(name) || $0.matches(short) } }

  func required(_ name: StaticString, _ short: StaticString = "") throws(Failure) -> Bytes {
    guard let value = value(name, short), !value.isEmpty else { throw Failure(.invalidArgument, verb + ": " + Bytes(name) + " is missing") }
    return value
  }

  /// The container that the verb is about.
  var container: Container {
    get throws(Failure) {
      guard let id = operands.first else { throw Failure(.invalidArgument, verb + ": a container's ID is missing") }
      guard Container.isID(id) else { throw Failure(.invalidArgument, verb + ": \"" + id + "\" is no container's ID") }
      return Container(root: value("--root") ?? Bytes("/run/berth-runtime"), id: id)
    }
  }
}
