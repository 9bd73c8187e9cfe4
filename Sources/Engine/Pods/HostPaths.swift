import Core
import Linux

/// Directories on the host that mounts name. A user's volume is never touched by a thread of the daemon: a disposable child does it,
/// with a deadline, so that a dead NFS server stops one container and not the node.
enum HostPaths {
  private static let deadline = Duration.seconds(20)
  /// What exists is left alone, whatever it is; what does not is made as a directory.
  private static let script = #"for path; do [ -e "$path" ] || mkdir -p -m 755 -- "$path" || exit 1; done"#

  static func make(_ paths: [String]) async throws {
    guard !paths.isEmpty else { return }
    try await stage("mounts") {
      let output = try await Command.run("/bin/sh", ["-c", script, "sh"] + paths, environment: ["PATH=/usr/bin:/bin"], timeout: deadline)
      switch output.ending {
      case .exited(0): return
      case .timedOut:
        throw Fault(.deadlineExceeded, "a host path did not answer within \(deadline): one of \(paths.joined(separator: ", "))")
      default: throw Fault(.failedPrecondition, String(decoding: output.stderr, as: UTF8.self).trimmedLine)
      }
    }
  }
}

extension String {
  /// Without what surrounds a program's one line of error.
  var trimmedLine: String {
    var text = Substring(self)
    while let last = text.last, last.isWhitespace { text.removeLast() }
    return String(text)
  }
}
