import CLinux

/// A CRI log file, written in batches of whole records. Failure to write drops records and counts their bytes; it never stops a container. What
/// was lost is said in the log itself as soon as that can be written again. Belongs to one log thread.
struct LogFile: ~Copyable {
  /// Holds the longest record several times.
  private static let capacity = 256 << 10
  /// Between two looks at whether the file still has a name, and two tries to make it again.
  private static let care: Int64 = 1_000_000_000

  let path: Bytes
  let counts: LogCounts
  private var fd: Int32 = -1
  private let batch: UnsafeMutablePointer<UInt8>?
  private var used = 0
  private var header = LogHeader()
  /// The file ends in the middle of a record.
  private var isTorn = false
  private(set) var dropped: UInt64 = 0
  /// Not yet said in the log.
  private var unsaid: UInt64 = 0
  private var reason: Int32 = 0
  private var caredAt: Int64 = 0

  /// An empty path keeps nothing.
  init(path: Bytes, counts: LogCounts) {
    self.path = path
    self.counts = counts
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
    // Who follows the log takes the old file for complete as soon as there is a new one.
    flush()
    let fresh = path.withCString { clinux_openat(AT_FDCWD, $0, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640) }
    guard fresh >= 0 else {
      let error = clinux_errno()
      if reason != error { note("log " + path + ": " + Bytes(errno: error)) }
      reason = error
      return error
    }
    if fd >= 0 { close(fd) }
    fd = fresh
    isTorn = false
    return 0
  }

  /// Time and stream of the records that follow.
  mutating func stamp(_ stream: LogStream, _ nanoseconds: Int64) { header.stamp(stream, nanoseconds) }

  /// - Parameter goesOn: another record has more of the line.
  mutating func append(_ tag: UInt8, _ content: UnsafePointer<UInt8>, _ count: Int, goesOn: Bool) {
    let length = LogHeader.size + count + 1
    guard fd >= 0, let batch, length <= Self.capacity else { return drop(count) }
    if used + length > Self.capacity { flush() }
    let record = batch + used
    header.text.withUnsafeBufferPointer { _ = memcpy(record, $0.baseAddress!, LogHeader.size) }
    record[LogHeader.tag] = tag
    memcpy(record + LogHeader.size, content, count)
    record[length - 1] = 10
    used += length
    counts.records.grow(1)
    counts.splits.grow(goesOn ? 1 : 0)
  }

  private mutating func drop(_ count: Int) {
    guard !path.isEmpty else { return }
    dropped += UInt64(count)
    unsaid += UInt64(count)
  }

  mutating func flush() {
    guard let batch, used > 0, fd >= 0 else { return }
    if isTorn && write(fd, [10] as Bytes, 1) == 1 { isTorn = false }
    confess()
    let done = writeAll(batch, used)
    if done < used {
      drop(used - done)
      isTorn = isTorn || (done > 0 && batch[done - 1] != 10)
    }
    used = 0
  }

  private mutating func writeAll(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int {
    var done = 0
    while done < count {
      let written = write(fd, bytes + done, count - done)
      if written < 0 && clinux_errno() == EINTR { continue }
      if written < 0 { reason = clinux_errno() }
      guard written > 0 else { break }
      done += written
    }
    counts.bytesOut.grow(done)
    return done
  }

  /// A record of its own in front of the first that can be written again.
  private mutating func confess() {
    guard unsaid > 0, !isTorn else { return }
    var header = LogHeader()
    header.stamp(.stderr, shim_realtime())
    let words =
      "[berth: " + Bytes(decimal: Int64(truncatingIfNeeded: unsaid)) + " bytes of this log were lost: " + Bytes(errno: reason) + "]\n"
    let record = header.text + words
    let done = record.withUnsafeBufferPointer { writeAll($0.baseAddress!, $0.count) }
    if done == record.count { unsaid = 0 } else if done > 0 { isTorn = true }
  }

  /// A file that somebody removed is made again, as soon as its directory is there. Until then nothing is written: it would be lost unseen.
  mutating func care(_ now: Int64) {
    guard !path.isEmpty, now - caredAt > Self.care else { return }
    caredAt = now
    var status = stat()
    if fd >= 0 && (fstat(fd, &status) < 0 || status.st_nlink > 0) { return }
    if open() != 0 && fd >= 0 {
      close(fd)
      fd = -1
    }
  }

  /// Gives the batch's memory back while nothing is written.
  func rest() { if let batch { shim_release_pages(batch, Self.capacity) } }
}
