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
