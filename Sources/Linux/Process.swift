import CLinux

/// This process.
package enum Process {
  package static var id: Int32 { getpid() }

  /// Ends it at once, without running destructors under threads that still work.
  package static func exit(_ code: Int32) -> Never { _exit(code) }

  /// The program's own file, symlinks resolved.
  package static func executable() throws(SystemError) -> String { try Files.readLink("/proc/self/exe") }
}
