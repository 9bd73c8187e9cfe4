import Core
import Linux

extension MergedView {
  private static let maximumFollows = 40

  /// Where the way along a path ends.
  private enum End {
    case absent, directory
    /// What is no directory, and what of the path comes after it.
    case other(RawName, Found, rest: [RawName])
  }

  /// A regular file, symlinks followed as inside a container: an absolute one from the view's root, `..` of the root is the root.
  /// `nil` where there is no such file; RESOURCE_EXHAUSTED above `limit` bytes.
  func readFile(_ path: RawName, limit: Int) throws -> [UInt8]? {
    var directory: [RawName] = []
    guard case .other(let name, let found, let rest) = try follow(path, &directory), rest.isEmpty, found.status.type == .regular
    else { return nil }
    return try read(name, found, directory, limit)
  }

  func place(_ path: RawName) throws -> ImagePlace {
    var directory: [RawName] = []
    let end = try follow(path, &directory)
    let shown = { (names: [RawName]) in "/" + String(decoding: RawName.joined(names).bytes, as: UTF8.self) }
    switch end {
    case .absent: return ImagePlace(shown(directory), .absent)
    case .directory: return ImagePlace(shown(directory), .directory)
    case .other(let name, let found, let rest):
      let kind: ImagePlace.Kind = found.status.type == .regular ? .file : .other
      return ImagePlace(shown(directory + [name]), rest.isEmpty ? kind : .obstructed)
    }
  }

  /// - Parameter directory: becomes the last one on the way; where there is nothing, what would be there.
  private func follow(_ path: RawName, _ directory: inout [RawName]) throws -> End {
    var todo = Array(path.components.reversed())
    var follows = 0
    while let name = todo.popLast() {
      if name == ".." {
        _ = directory.popLast()
        continue
      }
      guard let found = try find(name, in: directory) else {
        directory += ([name] + todo.reversed()).filter { $0 != ".." }
        return .absent
      }
      switch found.status.type {
      case .directory: directory.append(name)
      case .symlink:
        follows += 1
        guard follows <= Self.maximumFollows else { throw Fault(.invalidArgument, "too many symlinks on the way") }
        let target = try open(found, directory).readLink(name)
        if target.isAbsolute { directory = [] }
        todo += target.components.reversed()
      default: return .other(name, found, rest: todo.reversed())
      }
    }
    return .directory
  }

  private func read(_ name: RawName, _ found: Found, _ directory: [RawName], _ limit: Int) throws -> [UInt8] {
    guard found.status.size <= limit else {
      throw Fault(.resourceExhausted, "\(found.status.size) bytes, at most \(limit) are allowed")
    }
    let file = try open(found, directory).readFile(name)
    return try Files.read(file.raw, name.description, limit: limit)
  }
}
