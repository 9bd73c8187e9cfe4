import CSeccomp

/// The system calls libseccomp knows by name, on any architecture.
enum SyscallTable {
  static func knows(_ name: String) -> Bool { seccomp_syscall_resolve_name(name) != unknown }

  /// `__NR_SCMP_ERROR` (a macro); other negative numbers are calls of other architectures.
  private static let unknown: Int32 = -1

  /// What libseccomp calls an architecture that profiles call `SCMP_ARCH_X86_64`; nil for one it does not know.
  static func architecture(_ name: String) -> UInt32? {
    let token = seccomp_arch_resolve_name(name.dropFirst("SCMP_ARCH_".count).lowercased())
    return token == 0 ? nil : token
  }

  /// Nil where that architecture has no such call.
  static func number(of name: String, on architecture: UInt32) -> UInt32? {
    UInt32(exactly: seccomp_syscall_resolve_name_arch(architecture, name))
  }

  static func name(of number: UInt32, on architecture: UInt32) -> String? {
    guard let name = seccomp_syscall_resolve_num_arch(architecture, Int32(bitPattern: number)) else { return nil }
    defer { free(name) }
    return String(cString: name)
  }

  /// As the kernel tells it of a call, and the other way round: x32's calls are x86-64's with a bit in the number.
  static func audited(_ architecture: UInt32) -> UInt32 { architecture == x32 ? amd64 : architecture }

  static func architecture(audited: UInt32, number: UInt32) -> UInt32 { audited == amd64 && number & 0x4000_0000 != 0 ? x32 : audited }

  static let native = seccomp_arch_native()
  private static let x32: UInt32 = 0x4000_003E
  private static let amd64: UInt32 = 0xC000_003E
}
