import CRIAPI
import Core
import Linux
import Spec

/// What of the host every container gets a copy of (`default_mounts_file`; the format is that of containers-mounts.conf(5)): subscriptions and
/// certificates that programs look for at a fixed place. A copy, so that a container neither writes to the host's own nor needs its owners or label.
struct DefaultMounts: Sendable {
  private struct Line: Sendable {
    let source: String
    let destination: String
  }

  /// Bytes of all files of one container.
  private static let limit = 64 << 20
  private static let depth = 32

  let file: String
  /// Whom the copies belong to.
  let owner: FileOwner
  let paths: HostPaths

  /// Copies below `directory`; the result are their paths by those in the container. What is not on the host is left out, and so is what `config`
  /// mounts itself.
  func copy(below directory: String, for config: Runtime_V1_ContainerConfig) async throws -> [String: String] {
    try await BlockingWork.run {
      try stage("default_mounts_file \(file)") {
        let covered = Set(config.mounts.map { ContainerPath.clean($0.containerPath) })
        var copies: [String: String] = [:]
        var room = Self.limit
        let lines = try lines()
        try paths.lookHere(lines.map(\.source))
        for (index, line) in lines.enumerated() where !covered.contains(line.destination) && isCopied(line.source) {
          let target = "\(directory)/\(index)"
          try Files.makeDirectories(directory, mode: 0o711)
          try stage(line.source) { try copy(line.source, to: target, depth: 0, &room) }
          copies[line.destination] = target
        }
        return copies
      }
    }
  }

  /// `/on/the/host:/in/the/container`, or one path for both.
  private func lines() throws -> [Line] {
    let text = String(decoding: try Files.read(file, limit: 1 << 20), as: UTF8.self)
    var lines: [Line] = []
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let words = line.split { $0 == " " || $0 == "\t" || $0 == "\r" }
      guard let word = words.first, !word.hasPrefix("#") else { continue }
      let paths = word.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
      guard words.count == 1, paths.count <= 2, paths.allSatisfy({ $0.hasPrefix("/") && ContainerPath.clean($0) != "/" }) else {
        throw Fault(.failedPrecondition, "line \(number + 1): \"\(line.prefix(200))\" is not two absolute paths joined by a colon")
      }
      lines.append(Line(source: paths[0], destination: ContainerPath.clean(paths[paths.count - 1])))
    }
    return lines
  }

  private func isCopied(_ path: String) -> Bool { Files.isDirectory(path) || Files.isRegularFile(path) }

  /// Follows symlinks; those that lead nowhere, devices and sockets are left out.
  private func copy(_ source: String, to target: String, depth: Int, _ room: inout Int) throws {
    guard depth < Self.depth else { throw Fault(.failedPrecondition, "directories are nested deeper than \(Self.depth)") }
    if Files.isDirectory(source) {
      try Files.makeDirectories(target, mode: 0o755)
      for name in try Files.list(source) { try copy("\(source)/\(name)", to: "\(target)/\(name)", depth: depth + 1, &room) }
    } else if Files.isRegularFile(source) {
      let bytes = try Files.read(source, limit: Self.limit)
      room -= bytes.count
      guard room >= 0 else { throw Fault(.failedPrecondition, "more than \(Self.limit) bytes") }
      try Files.write(bytes, to: target)
    } else {
      return
    }
    try Files.setMode(target, Files.mode(source))
    try Files.setOwner(target, owner)
  }
}
