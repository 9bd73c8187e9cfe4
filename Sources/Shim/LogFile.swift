import CLinux

/// A CRI log file, written in batches of whole records. Failure to write drops records and counts their bytes; it never stops a container.
/// Belongs to one log thread.
struct LogFile: ~Copyable {
  private static let capacity = 64 << 10

  let path: Bytes
  private var fd: Int32 = -1
  private let batch: UnsafeMutablePointer<UInt8>?
  private var used = 0
  /// The file ends in the middle of a record.
  private var isTorn = false
  private(set) var dropped: UInt64 = 0

  /// An empty path keeps nothing.
  init(path: Bytes) {
    self.path = path
    batch = shim_pages(Self.capacity)?.assumingMemoryBound(to: UInt8.self)
    _ = open()
  }

  deinit {
    if fd >= 0 { close(fd) }
    if let batch { shim_unmap_pages(batch, Self.capacity) }
  }

  /// Opens the path anew; the old file stays in use where that fails. 0 or an errno value.
  mutating func open() -> Int32 {
    guard !path.isEmpty else { return 0 }
    let fresh = path.withCString { clinux_openat(AT_FDCWD, $0, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640) }
    guard fresh >= 0 else {
      let error = clinux_errno()
      note("log " + path + ": " + Bytes(errno: error))
      return error
    }
    flush()
    if fd >= 0 { close(fd) }
    fd = fresh
    isTorn = false
    return 0
  }

  /// `<timestamp> <stream> <tag> <content>\n`; `prefix` is all before the tag.
  mutating func append(_ prefix: Bytes, _ tag: UInt8, _ content: UnsafeBufferPointer<UInt8>) {
    let length = prefix.count + 2 + content.count + 1
    guard fd >= 0, let batch, length <= Self.capacity else {
      if !path.isEmpty { dropped += UInt64(content.count) }
      return
    }
    if used + length > Self.capacity { flush() }
    prefix.withUnsafeBufferPointer { put(batch, $0) }
    batch[used] = tag
    batch[used + 1] = 32
    used += 2
    put(batch, content)
    batch[used] = 10
    used += 1
  }

  private mutating func put(_ batch: UnsafeMutablePointer<UInt8>, _ bytes: UnsafeBufferPointer<UInt8>) {
    if let base = bytes.baseAddress { (batch + used).update(from: base, count: bytes.count) }
    used += bytes.count
  }

  mutating func flush() {
    guard let batch, used > 0 else { return }
    var done = 0
    if isTorn && write(fd, [10] as Bytes, 1) == 1 { isTorn = false }
    while done < used {
      let count = write(fd, batch + done, used - done)
      if count < 0 && clinux_errno() == EINTR { continue }
      guard count > 0 else { break }
      done += count
    }
    if done < used {
      dropped += UInt64(used - done)
      isTorn = isTorn || (done > 0 && batch[done - 1] != 10)
    }
    used = 0
  }

  /// Gives the batch's memory back while nothing is written.
  func rest() { if let batch { shim_release_pages(batch, Self.capacity) } }
}
