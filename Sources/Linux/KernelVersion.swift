/// Of the running kernel, as far as features go by it.
package struct KernelVersion: Sendable, Hashable, Comparable {
  package var major: Int
  package var minor: Int

  package static func < (a: KernelVersion, b: KernelVersion) -> Bool { (a.major, a.minor) < (b.major, b.minor) }

  /// From `6.1.0-18-amd64` and the like; 0.0 where that is no version.
  package init(_ release: String) {
    let parts = release.split(separator: ".").prefix(2).map { Int($0.prefix { $0.isNumber }) ?? 0 }
    major = parts.first ?? 0
    minor = parts.count > 1 ? parts[1] : 0
  }

  package init(major: Int, minor: Int) {
    self.major = major
    self.minor = minor
  }

  package static let current = KernelVersion(
    String(decoding: (try? Files.read("/proc/sys/kernel/osrelease", limit: 4096)) ?? [], as: UTF8.self))
}
