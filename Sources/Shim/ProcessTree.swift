import CLinux

/// A process and all it started: its descendants, its session's members whoever their parent is by now, and who bears its mark whatever session
/// they made.
final class ProcessTree {
  /// A limit in microseconds that no process lives to reach; marks are above it.
  static let marks: UInt64 = 1 << 62

  private let root: Int32
  private let cgroup: Cgroup
  private let mark: Bytes

  /// `cgroup` bounds the search; where it is none, every process is looked at. The root leads a session of its own. `mark` 0 is none.
  init(root: Int32, cgroup: Cgroup, mark: UInt64) {
    self.root = root
    self.cgroup = cgroup
    self.mark = mark == 0 ? [] : Bytes(decimal: Int64(bitPattern: mark))
  }

  private struct Member {
    let pid: Int32
    let parent: Int32
    let session: Int32
    let isZombie: Bool
  }

  /// Kills every member; true while there were any. A session's number stays taken while it has members.
  func kill() -> Bool {
    var isAny = false
    for pid in members {
      let fd = clinux_pidfd_open(pid, 0)
      guard fd >= 0 else { continue }
      isAny = clinux_pidfd_send_signal(fd, SIGKILL) == 0 || isAny
      close(fd)
    }
    return isAny
  }

  private var members: [Int32] {
    let all = candidates.compactMap { Self.member($0) }
    var found: [Int32] = all.filter { $0.session == root || $0.pid == root || isMarked($0.pid) }.map { $0.pid }
    var count = -1
    while count != found.count {
      count = found.count
      for one in all where found.contains(one.parent) && !found.contains(one.pid) { found.append(one.pid) }
    }
    return all.filter { !$0.isZombie && found.contains($0.pid) }.map { $0.pid }
  }

  /// By the soft limit in the line `Max realtime timeout     4611686018427387905  unlimited  us`; no other line has a number as large.
  private func isMarked(_ pid: Int32) -> Bool {
    guard !mark.isEmpty, let limits = Files.read("/proc/" + Bytes(decimal: pid) + "/limits") else { return false }
    return memmem(limits, limits.count, mark, mark.count) != nil
  }

  private var candidates: [Int32] {
    if !cgroup.path.isEmpty { return cgroup.processes }
    return Files.names(Bytes("/proc")).compactMap { $0.number.map { Int32(truncatingIfNeeded: $0) } }
  }

  /// `pid (name) state parent group session …`; the name may hold anything, parentheses too.
  private static func member(_ pid: Int32) -> Member? {
    guard let stat = Files.read("/proc/" + Bytes(decimal: pid) + "/stat"), let close = stat.lastIndex(of: 41) else { return nil }
    let words = stat[(close + 1)...].split(separator: 32)
    guard words.count > 3, let parent = Bytes(words[1]).number, let session = Bytes(words[3]).number else { return nil }
    return Member(
      pid: pid, parent: Int32(truncatingIfNeeded: parent), session: Int32(truncatingIfNeeded: session),
      isZombie: words[0].elementsEqual([90]))
  }
}
