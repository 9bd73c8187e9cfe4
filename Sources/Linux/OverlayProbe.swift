import CLinux

extension Mounts {
  /// Why overlayfs cannot have its writable layer in `directory`; `nil` where it can. Mounts one there for a moment.
  package static func overlayProblem(_ directory: String) -> SystemError? {
    let base = "\(directory)/.overlay-probe"
    defer { try? Files.removeTree(base) }
    do {
      for name in ["lower", "upper", "work", "merged"] { try Files.makeDirectories("\(base)/\(name)") }
      // By descriptors: no path has to be quoted.
      let lower = try FileHandle.open(base + "/lower", O_PATH)
      let upper = try FileHandle.open(base + "/upper", O_PATH)
      let work = try FileHandle.open(base + "/work", O_PATH)
      let options = "lowerdir=/proc/self/fd/\(lower.raw),upperdir=/proc/self/fd/\(upper.raw),workdir=/proc/self/fd/\(work.raw)"
      try check("overlay", directory) { CLinux.mount("berth", base + "/merged", "overlay", 0, options) }
      try check("umount", directory) { umount2(base + "/merged", Int32(MNT_DETACH)) }
      return nil
    } catch {
      return error
    }
  }
}
