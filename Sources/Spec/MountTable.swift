/// The mounts of a mount namespace (`/proc/<pid>/mountinfo`, proc_pid_mountinfo(5)).
package struct MountTable: Sendable, Hashable {
  package struct Entry: Sendable, Hashable {
    package var mountPoint: String
    package var filesystem: String
    package var isShared: Bool
    package var isSlave: Bool

    package init(mountPoint: String, filesystem: String, isShared: Bool, isSlave: Bool) {
      self.mountPoint = mountPoint
      self.filesystem = filesystem
      self.isShared = isShared
      self.isSlave = isSlave
    }
  }

  package var entries: [Entry]

  package init(entries: [Entry]) { self.entries = entries }

  /// Lines that are not understood are left out.
  package init(parsing bytes: [UInt8]) {
    entries = bytes.split(separator: UInt8(ascii: "\n")).compactMap(Entry.init(line:))
  }

  /// The mount that `path` lies on: the longest mount point above it, the last one where several are stacked.
  package func mount(of path: String) -> Entry? {
    let path = ContainerPath.clean(path)
    return entries.filter { ContainerPath.contains($0.mountPoint, path) }
      .reduce(nil as Entry?) { best, entry in entry.mountPoint.utf8.count >= best?.mountPoint.utf8.count ?? 0 ? entry : best }
  }
}

extension MountTable.Entry {
  fileprivate init?(line: ArraySlice<UInt8>) {
    let fields = line.split(separator: UInt8(ascii: " "))
    guard fields.count >= 10, let dash = fields[6...].firstIndex(where: { $0.elementsEqual("-".utf8) }), dash + 1 < fields.count else {
      return nil
    }
    mountPoint = MountTable.Entry.unescape(fields[4])
    filesystem = String(decoding: fields[dash + 1], as: UTF8.self)
    isShared = fields[6..<dash].contains { $0.starts(with: "shared:".utf8) }
    isSlave = fields[6..<dash].contains { $0.starts(with: "master:".utf8) }
  }

  /// Space, tab, newline and backslash are written as `\ooo`.
  private static func unescape(_ field: ArraySlice<UInt8>) -> String {
    var bytes: [UInt8] = []
    var rest = field
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\\"), rest.count >= 3, let value = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8) {
        bytes.append(value)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
