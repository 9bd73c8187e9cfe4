import CLinux

extension FileHandle {
  private static let piece: Int64 = 1 << 20

  /// Makes this empty file a copy of `source`: shares the data where the filesystem can; holes stay holes, and zeros become some.
  /// - Parameter size: of `source`.
  package func copy(_ source: borrowing FileHandle, size: Int64) throws(SystemError) {
    if size == 0 || reflink(from: source) { return }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(min(size, Self.piece)), alignment: 4096)
    defer { buffer.deallocate() }
    var offset: Int64 = 0
    while let data = try source.nextData(from: offset) {
      let end = try source.nextHole(from: data)
      offset = data
      while offset < end {
        let room = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(min(Self.piece, end - offset))])
        let count = try source.read(into: room, at: offset)
        if count == 0 { break }
        let bytes = UnsafeRawBufferPointer(rebasing: room[..<count])
        if bytes.contains(where: { $0 != 0 }) { try write(bytes, at: offset) }
        offset += Int64(count)
      }
      offset = max(offset, end)
    }
    try truncate(to: size)
  }
}
