import CLinux
package import Linux

/// Looking for processes that should be there, or gone.
extension ProcessTable {
  /// This process.
  package static var own: Int32 { getpid() }

  /// The arguments, or the name in brackets for a zombie or kernel thread; nil where there is no such process.
  package static func commandLine(_ pid: Int32) -> String? {
    guard let bytes = try? Files.read("/proc/\(pid)/cmdline") else { return nil }
    if bytes.isEmpty { return (try? Files.read("/proc/\(pid)/comm")).map { "[\(String(decoding: $0.dropLast(), as: UTF8.self))]" } }
    return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
  }
}
