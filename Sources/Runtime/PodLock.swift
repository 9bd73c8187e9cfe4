import CLinux

/// A pod's shim is started and told to go by one at a time: a lock on the directory that the pod's bundles are in.
struct PodLock {
  private let descriptor: Int32

  /// Waits so many milliseconds; goes on without it where it cannot be had.
  init(bundle: Bytes, patience: Int64) {
    let parent = Bytes(bundle[..<(bundle.lastIndex(of: 47) ?? 0)])
    descriptor = parent.withCString { clinux_openat(AT_FDCWD, $0, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0) }
    let deadline = shim_monotonic() + patience * 1_000_000
    while descriptor >= 0, foreign_lock(descriptor) < 0, clinux_errno() == EWOULDBLOCK, shim_monotonic() < deadline { usleep(5_000) }
  }

  func release() { if descriptor >= 0 { close(descriptor) } }
}
