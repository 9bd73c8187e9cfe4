import Core
import Linux

/// The files of an image archive: a directory, or a tar of one.
final class ArchiveFiles: Sendable {
  private enum Form: Sendable {
    case directory(Confined)
    case tar(Opened, TarIndex)
  }

  /// `@unchecked` is not needed: both only hold descriptors that nobody changes.
  private final class Confined: Sendable {
    let root: ConfinedRoot
    init(_ root: consuming ConfinedRoot) { self.root = root }
  }

  final class Opened: Sendable {
    let file: FileHandle
    init(_ file: consuming FileHandle) { self.file = file }
  }

  /// Bytes of a file that is kept open.
  struct Region: Sendable {
    let opened: Opened
    let offset: Int64
    let size: Int64

    /// As many as there are from `position` on, at most `count`.
    func read(at position: Int64, _ count: Int) throws -> [UInt8] {
      let count = Int(min(Int64(count), size - position))
      if count <= 0 { return [] }
      var bytes = [UInt8](repeating: 0, count: count)
      let got = try bytes.withUnsafeMutableBytes { try opened.file.read(into: $0, at: offset + position) }
      guard got == count else { throw Fault(.dataLoss, "the archive is shorter than it says") }
      return bytes
    }

    func readAll(limit: Int64) throws -> [UInt8] {
      guard size <= limit else { throw Fault(.resourceExhausted, "\(size) bytes, at most \(limit) are allowed") }
      return try read(at: 0, Int(size))
    }
  }

  private let form: Form

  init(_ path: String) throws {
    let file = try FileHandle.open(path)
    if try file.status().type == .directory {
      form = .directory(Confined(try ConfinedRoot(path: path)))
      return
    }
    let index = try TarIndex(file)
    form = .tar(Opened(file), index)
  }

  /// `nil` where there is no such file.
  func find(_ name: String) throws -> Region? {
    switch form {
    case .tar(let opened, let index):
      return index.find(name).map { Region(opened: opened, offset: $0.offset, size: $0.size) }
    case .directory(let confined):
      do {
        let file = try confined.root.file(RawName(TarIndex.normal(name)))
        let status = try file.status()
        guard status.type == .regular else { return nil }
        return Region(opened: Opened(file), offset: 0, size: status.size)
      } catch {
        if error.isMissing { return nil }
        throw error
      }
    }
  }

  func get(_ name: String) throws -> Region {
    guard let region = try find(name) else { throw Fault(.notFound, "it has no file \(name)") }
    return region
  }
}
