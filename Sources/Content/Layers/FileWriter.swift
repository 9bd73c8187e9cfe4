import Core
import Linux

/// Writes one file's content as it arrives: checksum on the way, holes left as holes, writeback started early so that the sync at
/// commit finds little left to do.
struct FileWriter: ~Copyable {
  private let file: FileHandle
  private var checksum = Checksum()
  /// The end of what was written.
  private(set) var position: Int64 = 0
  /// Up to where writeback was started.
  private var started: Int64 = 0

  private static let writebackStep: Int64 = 8 << 20
  private static let large: Int64 = 64 << 10

  init(_ file: consuming FileHandle) { self.file = file }

  mutating func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
    if offset > position { checksum.updateZeros(offset - position) }
    try file.write(bytes, at: offset)
    checksum.update(bytes)
    position = offset + Int64(bytes.count)
    if position - started >= Self.writebackStep {
      file.startWriteback(started, position - started)
      started = position
    }
  }

  /// Ends the file at `size` bytes and gives it its metadata; the content's checksum.
  mutating func finish(size: Int64, _ metadata: Metadata, _ remaining: Birth.Remaining = .all) throws -> UInt64 {
    if size > position {
      checksum.updateZeros(size - position)
      try file.truncate(to: size)
    }
    // Small files are written out together at commit: one request each would take longer.
    if position > started, position >= Self.large { file.startWriteback(started, 0) }
    try file.apply(metadata, remaining)
    return checksum.value
  }
}

extension FileHandle {
  /// Owner first (it clears setuid and capabilities), times last.
  func apply(_ metadata: Metadata, _ remaining: Birth.Remaining = .all) throws {
    if remaining.contains(.owner) { try setOwner(metadata.owner, metadata.group) }
    if remaining.contains(.mode) { try setMode(metadata.mode) }
    for (name, value) in metadata.attributes { try setAttribute(name, value) }
    try setModified(metadata.modified)
  }
}

extension Directory {
  /// For what cannot be opened: symlinks, fifos, devices.
  /// - Parameter remaining: without the mode of a symlink, which has none.
  func apply(_ metadata: Metadata, to name: RawName, _ remaining: Birth.Remaining) throws {
    if remaining.contains(.owner) { try setOwner(name, metadata.owner, metadata.group) }
    if remaining.contains(.mode) { try setMode(name, metadata.mode) }
    for (attribute, value) in metadata.attributes { try setAttribute(name, attribute, value) }
    try setModified(name, metadata.modified)
  }
}
