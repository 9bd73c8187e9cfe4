import CSeccomp

/// The system calls libseccomp knows by name, on any architecture.
enum SyscallTable {
  static func knows(_ name: String) -> Bool { seccomp_syscall_resolve_name(name) != unknown }

  /// `__NR_SCMP_ERROR` (a macro); other negative numbers are calls of other architectures.
  private static let unknown: Int32 = -1
}
