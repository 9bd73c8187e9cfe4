import Linux

/// Overlay options every container's mount gets, as far as this kernel knows them.
enum OverlayOptions {
  /// `index` and `metacopy` off, whatever the module's defaults: files stay whole, and layers may be used by many mounts at a time.
  static func supported(module: String = "/sys/module/overlay/parameters") -> [String] {
    var options: [String] = []
    if knowsVolatile { options.append("volatile") }
    for option in ["index", "metacopy"] where Files.exists("\(module)/\(option)") { options.append("\(option)=off") }
    return options
  }

  /// Since Linux 5.10.
  private static var knowsVolatile: Bool { KernelVersion.current >= KernelVersion(major: 5, minor: 10) }
}

/// Of the running kernel.
struct KernelVersion: Comparable {
  var major: Int
  var minor: Int

  static func < (a: KernelVersion, b: KernelVersion) -> Bool { (a.major, a.minor) < (b.major, b.minor) }

  /// From `6.1.0-18-amd64` and the like; 0.0 where that is no version.
  init(_ release: String) {
    let parts = release.split(separator: ".").prefix(2).map { Int($0.prefix { $0.isNumber }) ?? 0 }
    major = parts.first ?? 0
    minor = parts.count > 1 ? parts[1] : 0
  }

  init(major: Int, minor: Int) {
    self.major = major
    self.minor = minor
  }

  static let current = KernelVersion(
    String(decoding: (try? Files.read("/proc/sys/kernel/osrelease", limit: 4096)) ?? [], as: UTF8.self))
}
