import CLinux

/// A process's three streams as descriptors; -1 is /dev/null.
struct Stdio {
  var input: Int32 = -1
  var output: Int32 = -1
  var error: Int32 = -1

  init() {}

  /// Opens FIFOs whose other ends the caller holds; an empty path is none. Never waits.
  init(input: Bytes, output: Bytes, error: Bytes) throws(SystemFailure) {
    do throws(SystemFailure) {
      self.input = try Self.open(input, O_RDONLY)
      self.output = try Self.open(output, O_WRONLY)
      self.error = try Self.open(error, O_WRONLY)
    } catch {
      closeAll()
      throw error
    }
  }

  /// /dev/stdout is opened anew by who may: the root of a user namespace owns nothing of ours.
  func give(to options: CreateOptions) {
    guard options.stdioUser != 0 else { return }
    for fd in [input, output, error] where fd >= 0 { fchown(fd, options.stdioUser, options.stdioGroup) }
  }

  func closeAll() { for fd in [input, output, error] where fd >= 0 { close(fd) } }

  /// For a process, which expects to wait when it reads and writes.
  private static func open(_ path: Bytes, _ mode: Int32) throws(SystemFailure) -> Int32 {
    let fd = try openEnd(path, mode)
    if fd >= 0 { _ = clinux_fcntl_int(fd, F_SETFL, 0) }
    return fd
  }

  /// A non-blocking end of a FIFO. ENXIO where nobody reads it.
  static func openEnd(_ path: Bytes, _ mode: Int32) throws(SystemFailure) -> Int32 {
    guard !path.isEmpty else { return -1 }
    let fd = path.withCString { clinux_openat(AT_FDCWD, $0, mode | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, 0) }
    guard fd >= 0 else { throw SystemFailure("opening", path) }
    return fd
  }
}
