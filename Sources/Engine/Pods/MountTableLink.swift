import Core
import Linux

/// `/etc/mtab` as a link to the kernel's table, for programs that know no other list of mounts. Put into a container's writable layer before that is
/// mounted, where the image has nothing of that name.
struct MountTableLink {
  private static let (directory, name): (RawName, RawName) = ("etc", "mtab")
  private static let target: RawName = "/proc/mounts"

  let rootfs: RootfsMount

  /// Does nothing where the image has no /etc that is a directory.
  func place() throws {
    guard let upper = try rootfs.upper.map({ try Directory.open($0) }) else { return }
    if try upper.status(Self.directory)?.type == .directory {
      let etc = try upper.directory(Self.directory)
      if try etc.status(Self.name) == nil { try etc.makeSymlink(Self.name, to: Self.target) }
    } else if !rootfs.isPlain {
      try placeAbove(upper)
    }
  }

  private func placeAbove(_ upper: borrowing Directory) throws {
    guard let layer = try layerToShow() else { return }
    let below = try Directory.open(layer)
    guard let status = try below.status(Self.directory) else { return }
    try upper.makeDirectory(Self.directory)
    try upper.directory(Self.directory).makeSymlink(Self.name, to: Self.target)
    try upper.setOwner(Self.directory, status.owner, status.group)
    for (name, value) in try below.attributes(Self.directory) where !LayerMarks.isReserved(name) {
      try upper.setAttribute(Self.directory, name, value)
    }
    try upper.setMode(Self.directory, status.mode)
    try upper.setModified(Self.directory, status.modified)
  }

  /// The highest layer with an /etc, which is as the container sees it; nil where there is a mtab already.
  private func layerToShow() throws -> String? {
    var highest: String?
    for path in rootfs.lower {
      let layer = try Directory.open(path)
      guard let status = try layer.status(Self.directory) else { continue }
      guard status.type == .directory else { return highest }
      highest = highest ?? path
      let etc = try layer.directory(Self.directory)
      if let found = try etc.status(Self.name) { return try LayerMarks.isHidden(Self.name, found, in: etc) ? highest : nil }
      if try LayerMarks.hidesAll(etc.handle) { return highest }
    }
    return highest
  }
}
