import CLinux

/// The socket on which the runtime hands over the terminal's master side.
final class Console {
  static let name: StaticString = "console.sock"

  private let bundle: Bytes
  private let listener: Int32

  init(bundle: Bytes) throws(SystemFailure) {
    self.bundle = bundle
    let directory = bundle.withCString { clinux_openat(AT_FDCWD, $0, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0) }
    guard directory >= 0 else { throw SystemFailure("bundle", bundle) }
    defer { close(directory) }
    listener = Bytes(Self.name).withCString { shim_listen_in(directory, $0) }
    guard listener >= 0 else { throw SystemFailure("console socket in", bundle) }
  }

  /// Once the runtime has ended: all it sent is there. The master, or -1.
  func take() -> Int32 {
    let peer = shim_accept(listener)
    guard peer >= 0 else { return -1 }
    defer { close(peer) }
    return shim_receive_descriptor(peer)
  }

  func remove() {
    close(listener)
    Files.remove(bundle + "/" + Bytes(Self.name))
  }
}
