import CLinux

/// A file as a block device (loop(4)). It is free again when its last user goes: this descriptor, or what is mounted from it.
package struct LoopDevice: ~Copyable {
  /// `/dev/loop7`
  package let path: String
  private let handle: FileHandle

  /// Bytes of a block, which the filesystems in such files have, too.
  private static let blockSize: UInt32 = 4096
  /// Others take devices at the same time.
  private static let attempts = 100

  package static func attach(_ file: String) throws(SystemError) -> LoopDevice {
    let backing = try FileHandle.open(file, O_RDWR)
    let control = try FileHandle.open("/dev/loop-control", O_RDWR)
    for _ in 1..<attempts { if let device = try take(control, backing, file) { return device } }
    throw SystemError(EBUSY, call: "LOOP_CONFIGURE", object: "/dev/loop-control")
  }

  /// Nil where somebody else was quicker.
  private static func take(_ control: borrowing FileHandle, _ file: borrowing FileHandle, _ name: String)
    throws(SystemError) -> LoopDevice?
  {
    let (control, backing) = (control.raw, file.raw)
    let number = try check("LOOP_CTL_GET_FREE", "/dev/loop-control") { clinux_free_loop_device(control) }
    let path = "/dev/loop\(number)"
    let handle = try FileHandle.open(path, O_RDWR)
    let raw = handle.raw
    do { try check("LOOP_CONFIGURE", path) { clinux_configure_loop_device(raw, backing, name, blockSize) } } catch {
      if error.is(EBUSY) { return nil }
      throw error
    }
    return LoopDevice(path: path, handle: handle)
  }
}
