import CZlib
import Linux

/// The bytes of one log file from its beginning on: as they stand there, or inflated where a rotation has packed it with gzip.
struct LogInput: ~Copyable {
  private let path: String
  private let file: FileHandle
  private let unpacking: Unpacking?
  /// Of the next byte to read, unpacked.
  private(set) var offset = 0
  /// Lines of a packed file before the first that is wanted.
  private var unwanted = 0
  /// Reading has come upon damage.
  private(set) var isDamaged = false

  private static let chunk = 64 << 10

  init(_ path: String) throws(SystemError) {
    var path = path
    let file = try Self.open(&path)
    unpacking = RotatedLogs.isPacked(path) ? Unpacking(try file.duplicate().release()) : nil
    self.file = file
    self.path = path
  }

  /// A file that was packed meanwhile is the same under another name.
  private static func open(_ path: inout String) throws(SystemError) -> FileHandle {
    do throws(SystemError) { return try FileHandle.open(path) } catch {
      guard error.is(error.noEntry), Files.exists(path + RotatedLogs.packed) else { throw error }
      path += RotatedLogs.packed
      return try FileHandle.open(path)
    }
  }

  /// Nothing is ever added to it.
  var isPacked: Bool { unpacking != nil }
  var name: Substring { path.split(separator: "/").last ?? "" }

  func identity() throws(SystemError) -> FileIdentity { try file.identity(path) }

  /// About a chunk; empty where there is no more by now; nil, once, where a packed file turns out to be damaged, which has no more from there on.
  mutating func read() throws(SystemError) -> [UInt8]? {
    guard let unpacking else {
      let bytes = try file.read(count: Self.chunk, at: offset, path)
      offset += bytes.count
      return bytes
    }
    while !isDamaged {
      guard let bytes = unpacking.read(Self.chunk) else { break }
      if bytes.isEmpty { return [] }
      let wanted = withoutUnwanted(bytes)
      if !wanted.isEmpty { return Array(wanted) }
    }
    if isDamaged { return [] }
    isDamaged = true
    return nil
  }

  private mutating func withoutUnwanted(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
    var rest = bytes[...]
    while unwanted > 0, let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      rest = rest[(end + 1)...]
      unwanted -= 1
    }
    return unwanted > 0 ? [] : rest
  }

  /// Goes to the last so many lines. How many there are, at most that many.
  mutating func begin(atLast count: Int) throws(SystemError) -> Int {
    if let unpacking {
      let lines = unpacking.countLines(Self.chunk)
      unwanted = max(0, lines - count)
      return min(lines, count)
    }
    return try findLast(count)
  }

  /// Reads backwards until enough line breaks were seen; the one that ends the file does not count.
  private mutating func findLast(_ count: Int) throws(SystemError) -> Int {
    let size = try identity().size
    offset = size
    var (end, found) = (size, 0)
    while end > 0 && found < count {
      let begin = max(0, end - Self.chunk)
      let bytes = try file.read(count: end - begin, at: begin, path)
      for index in bytes.indices.reversed() where bytes[index] == UInt8(ascii: "\n") && begin + index != size - 1 {
        offset = begin + index + 1
        found += 1
        if found == count { return found }
      }
      end = begin
    }
    guard found < count, size > 0 else { return found }
    offset = 0
    return found + 1
  }
}

/// The one owner of a `gzFile`.
private final class Unpacking {
  private let stream: gzFile?

  /// Takes the descriptor over.
  init(_ descriptor: Int32) {
    stream = gzdopen(descriptor, "rb")
    if stream == nil { _ = FileHandle(owning: descriptor) }
  }

  deinit { if let stream { gzclose_r(stream) } }

  /// Empty at the end; nil for what is damaged or cut short.
  func read(_ count: Int) -> [UInt8]? {
    guard let stream else { return nil }
    var bytes = [UInt8](repeating: 0, count: count)
    var status = Z_OK
    let got = gzread(stream, &bytes, UInt32(count))
    gzerror(stream, &status)
    guard got > 0 || (got == 0 && status == Z_OK) else { return nil }
    bytes.removeLast(count - Int(got))
    return bytes
  }

  /// Of all that can be read; what is read next is the beginning again.
  func countLines(_ chunk: Int) -> Int {
    defer { if let stream { gzrewind(stream) } }
    var count = 0
    while let bytes = read(chunk), !bytes.isEmpty { count += bytes.count { $0 == UInt8(ascii: "\n") } }
    return count
  }
}
