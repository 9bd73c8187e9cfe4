import Core
import Linux

extension MergedView {
  private static let maximumFollows = 40

  /// A regular file, symlinks followed as inside a container: an absolute one from the view's root, `..` of the root is the root.
  /// `nil` where there is no such file; RESOURCE_EXHAUSTED above `limit` bytes.
  func readFile(_ path: RawName, limit: Int) throws -> [UInt8]? {
    var directory: [RawName] = []
    var todo = Array(path.components.reversed())
    var follows = 0
    while let name = todo.popLast() {
      if name == ".." {
        _ = directory.popLast()
        continue
      }
      guard let found = try find(name, in: directory) else { return nil }
      switch found.status.type {
      case .directory: directory.append(name)
      case .symlink:
        follows += 1
        guard follows <= Self.maximumFollows else { throw Fault(.invalidArgument, "too many symlinks on the way") }
        let target = try open(found, directory).readLink(name)
        if target.isAbsolute { directory = [] }
        todo += target.components.reversed()
      case .regular where todo.isEmpty: return try read(name, found, directory, limit)
      default: return nil
      }
    }
    return nil
  }

  private func read(_ name: RawName, _ found: Found, _ directory: [RawName], _ limit: Int) throws -> [UInt8] {
    guard found.status.size <= limit else {
      throw Fault(.resourceExhausted, "\(found.status.size) bytes, at most \(limit) are allowed")
    }
    let file = try open(found, directory).readFile(name)
    return try Files.read(file.raw, name.description, limit: limit)
  }
}
