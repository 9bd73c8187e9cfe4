import Core
import Linux

extension OutOfMemoryScore {
  /// Right after an exec's start: after an update runc still gives it the score of the container's start. What it has forked meanwhile has its stale score, too; what is forked later inherits the right one.
  /// Only processes that have exactly the stale one are changed: a process may have raised its own.
  func give(to process: Int32, in cgroups: CgroupReader) {
    guard let stale = Self.of(process), stale != value else { return }
    for _ in 0..<2 {
      for member in cgroups.processIDs(cgroup) where Self.of(member) == stale {
        try? Files.write("\(value)", to: Self.path(member), create: false)
      }
    }
  }

  private static func path(_ process: Int32) -> String { "/proc/\(process)/oom_score_adj" }

  private static func of(_ process: Int32) -> Int? {
    (try? Files.read(path(process))).flatMap { Int(String(decoding: $0.prefix { $0 != 0x0A }, as: UTF8.self)) }
  }
}
