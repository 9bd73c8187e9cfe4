import CArchive
import Core

/// Decompresses zstd, all frames one after the other, with libarchive's filter on a formatless archive.
final class ZstdSource: ByteSource {
  private let input: ArchiveInput
  private var isOpen = false
  private var isEnded = false

  init(_ source: any ByteSource) throws {
    input = try ArchiveInput(source) {
      archive_read_support_filter_zstd($0)
      archive_read_support_format_raw($0)
      archive_read_support_format_empty($0)
    }
  }

  func next() throws -> UnsafeRawBufferPointer? {
    do { return try nextBlock() } catch let fault as Fault where fault.code == .invalidArgument {
      throw Fault(.dataLoss, "zstd: \(fault.message)")
    }
  }

  private func nextBlock() throws -> UnsafeRawBufferPointer? {
    if isEnded { return nil }
    if !isOpen { try open() }
    while !isEnded {
      var block: UnsafeRawPointer?
      var size = 0
      var offset: Int64 = 0
      isEnded = try input.check(archive_read_data_block(input.handle, &block, &size, &offset))
      if !isEnded, size > 0 { return UnsafeRawBufferPointer(start: block, count: size) }
    }
    return nil
  }

  private func open() throws {
    isOpen = true
    try input.open()
    var entry: OpaquePointer?
    isEnded = try input.check(archive_read_next_header(input.handle, &entry))
  }
}
