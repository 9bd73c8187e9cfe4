import CLinux

/// Features of the running kernel, found by trying them.
package enum KernelFeature: String, CaseIterable, Sendable {
  /// Overlay layers handed over one by one, so that an image may have any number of them.
  case overlayAppend = "overlay lowerdir+"
  case pidfd
  case openat2
  case clone3
  case seccomp

  /// Nil when the kernel has it; otherwise its answer: ENOSYS or EINVAL where it is too old, EPERM where we may not ask.
  package func probe() -> SystemError? {
    let number =
      switch self {
      case .overlayAppend: clinux_probe_overlay_append()
      case .pidfd: clinux_probe_pidfd()
      case .openat2: clinux_probe_openat2()
      case .clone3: clinux_probe_clone3()
      case .seccomp: clinux_probe_seccomp()
      }
    return number == 0 ? nil : SystemError(number, call: rawValue)
  }
}
