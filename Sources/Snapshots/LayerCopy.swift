import Core
import Linux

/// Puts layers on top of each other in one directory, as overlayfs would show them: whiteouts remove, opaque directories hide, hard links stay links.
struct LayerCopy: ~Copyable {
  private let target: ConfinedRoot
  /// Of the layer being added: where the first name of an inode with several went.
  private var links: [UInt64: (directory: RawName, name: RawName)] = [:]

  init(into target: String) throws { self.target = try ConfinedRoot(path: target) }

  /// The next layer; the lowest comes first.
  mutating func add(_ layer: String) throws {
    links = [:]
    let source = try Directory.open(layer)
    let base = try target.directory("")
    if try LayerMarks.hidesAll(source.handle) { for name in try base.names() { try base.removeTree(name) } }
    try merge(source, base, "")
  }

  private mutating func merge(_ source: borrowing Directory, _ base: borrowing Directory, _ path: RawName) throws {
    for name in try source.names() {
      guard let status = try source.status(name) else { continue }
      if try LayerMarks.isHidden(name, status, in: source) {
        try base.removeTree(name)
      } else if status.type == .directory {
        try directory(source, base, name, status, path.bytes.isEmpty ? name : RawName(path.bytes + [UInt8(ascii: "/")] + name.bytes))
      } else {
        try base.removeTree(name)
        try item(source, base, name, status, path)
      }
    }
  }

  private mutating func directory(
    _ source: borrowing Directory, _ base: borrowing Directory, _ name: RawName, _ status: FileStatus, _ path: RawName
  ) throws {
    let from = try source.directory(name)
    var existing = try base.status(name)
    if let there = existing, try there.type != .directory || LayerMarks.hidesAll(from.handle) {
      try base.removeTree(name)
      existing = nil
    }
    if existing == nil { try base.makeDirectory(name) }
    try merge(from, try base.directory(name), path)
    for attribute in try base.attributes(name).keys { try base.removeAttribute(name, attribute) }
    try describe(base, name, status, try source.attributes(name))
  }

  /// - Parameter path: of the directory that it is in.
  private mutating func item(
    _ source: borrowing Directory, _ base: borrowing Directory, _ name: RawName, _ status: FileStatus, _ path: RawName
  ) throws {
    if status.links > 1, let first = links[status.inode] {
      return try target.directory(first.directory).link(first.name, into: base, as: name)
    }
    switch status.type {
    case .regular: try base.createFile(name).copy(try source.readFile(name), size: status.size)
    case .symlink: try base.makeSymlink(name, to: try source.readLink(name))
    default: try base.makeNode(name, status.type, device: status.device)
    }
    try describe(base, name, status, try source.attributes(name))
    if status.links > 1 { links[status.inode] = (path, name) }
  }

  /// The owner first: changing it takes set-user-ID bits and capabilities away.
  private func describe(
    _ base: borrowing Directory, _ name: RawName, _ status: FileStatus, _ attributes: [RawName: [UInt8]]
  ) throws {
    try base.setOwner(name, status.owner, status.group)
    if status.type != .symlink { try base.setMode(name, status.mode) }
    for (attribute, value) in attributes where !LayerMarks.isReserved(attribute) {
      try base.setAttribute(name, attribute, value)
    }
    try base.setModified(name, status.modified)
  }
}
