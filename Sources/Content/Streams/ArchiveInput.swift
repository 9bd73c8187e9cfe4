import CArchive
import Core

/// A libarchive reader fed from a ``ByteSource``. An error of the source comes out of ``check(_:)`` as it was thrown.
final class ArchiveInput {
  let handle: OpaquePointer
  private let feed: Feed

  /// What the C callback sees.
  private final class Feed {
    let source: any ByteSource
    var failure: (any Error)?
    var recent: RecentInput?
    init(_ source: any ByteSource, _ recent: RecentInput?) {
      self.source = source
      self.recent = recent
    }

    func next(_ buffer: UnsafeMutablePointer<UnsafeRawPointer?>) -> Int {
      recent?.release()
      do {
        guard let bytes = try source.next() else { return 0 }
        recent?.add(bytes)
        buffer.pointee = bytes.baseAddress
        return bytes.count
      } catch {
        failure = error
        return Int(ARCHIVE_FATAL)
      }
    }
  }

  /// - Parameters:
  ///   - remembers: whether ``recent`` is wanted.
  ///   - configure: which filters and formats to accept.
  init(_ source: any ByteSource, remembers: Bool = false, configure: (OpaquePointer) -> Void) throws {
    guard let handle = archive_read_new() else { throw Fault(.resourceExhausted, "out of memory for an archive reader") }
    self.handle = handle
    feed = Feed(source, remembers ? RecentInput() : nil)
    configure(handle)
  }

  /// What went in last.
  var recent: RecentInput? { feed.recent }

  /// Nobody will ask for what is before the place where the library reads by now.
  func forget() { feed.recent?.forget(before: archive_filter_bytes(handle, 0)) }

  deinit { archive_read_free(handle) }

  /// Reads the archive's beginning.
  func open() throws {
    let result = archive_read_open(
      handle, Unmanaged.passUnretained(feed).toOpaque(), nil,
      { _, data, buffer in Unmanaged<Feed>.fromOpaque(data!).takeUnretainedValue().next(buffer!) }, nil)
    try check(result)
  }

  /// Turns the result of a library call into an error where it is one; true where it was the end of the archive.
  @discardableResult
  func check(_ result: Int32) throws -> Bool {
    switch result {
    case ARCHIVE_OK, ARCHIVE_WARN: return false
    case ARCHIVE_EOF: return true
    default:
      if let failure = feed.failure { throw failure }
      throw Fault(.invalidArgument, message)
    }
  }

  private var message: String {
    archive_error_string(handle).map { String(cString: $0) } ?? "error \(archive_errno(handle))"
  }
}
