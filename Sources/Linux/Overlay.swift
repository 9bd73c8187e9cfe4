import CLinux

extension Mounts {
  /// A read-only overlay of directories, the highest first, at least two. The error's object is the layer at fault, where there is one.
  package static func overlay(_ lower: [String], at target: String, options: [String] = []) throws(SystemError) {
    let strings = (lower + [target] + options).map { strdup($0) }
    defer { for string in strings { free(string) } }
    let pointers = strings.map { UnsafePointer<CChar>($0) }
    var index: Int32 = -1
    var text = [CChar](repeating: 0, count: 200)
    let result = pointers.withUnsafeBufferPointer { layers in
      var overlay = shim_overlay()
      overlay.lower = layers.baseAddress
      overlay.lower_count = UInt32(lower.count)
      overlay.target = layers[lower.count]
      overlay.options = layers.baseAddress.map { $0 + lower.count + 1 }
      overlay.option_count = UInt32(options.count)
      return shim_mount_overlay(&overlay, &index, &text, text.count)
    }
    guard result != 0 else { return }
    let number = clinux_errno()
    throw SystemError(number, call: "overlay", object: lower.indices.contains(Int(index)) ? lower[Int(index)] : target)
  }

  /// Changes flags of a mount that is there (MS_REMOUNT | MS_BIND).
  package static func restrict(_ target: String, _ flags: Flags) throws(SystemError) {
    try check("remount", target) { CLinux.mount(nil, target, nil, flags.rawValue | UInt(MS_REMOUNT) | UInt(MS_BIND), nil) }
  }
}

extension Files {
  /// The path of what `path` leads to within `root`, as if `root` were `/`: symlinks cannot lead out. Nil where nothing is there.
  package static func resolve(_ path: String, within root: String) throws(SystemError) -> (path: String, isDirectory: Bool)? {
    let directory = try FileHandle.open(root, O_PATH | O_DIRECTORY)
    let raw = directory.raw
    let found: FileHandle
    do throws(SystemError) {
      let opened = try check("openat2", path) {
        clinux_openat2(raw, path, UInt64(O_PATH | O_CLOEXEC), 0, clinux_resolve_in_root() | clinux_resolve_no_magiclinks())
      }
      found = FileHandle(owning: opened)
    } catch {
      if error.is(ENOENT, ENOTDIR) { return nil }
      throw error
    }
    var status = stat()
    let descriptor = found.raw
    try check("fstat", path) { fstat(descriptor, &status) }
    return (try Files.readLink("/proc/self/fd/\(descriptor)"), clinux_file_type(status.st_mode) == 0o040000)
  }

  /// chown(2), symlinks not followed.
  package static func setOwner(_ path: String, _ owner: FileOwner) throws(SystemError) {
    try check("lchown", path) { lchown(path, owner.user, owner.group) }
  }

  /// Symlinks not followed.
  package static func owner(_ path: String) throws(SystemError) -> FileOwner {
    var status = stat()
    try check("lstat", path) { lstat(path, &status) }
    return FileOwner(user: status.st_uid, group: status.st_gid)
  }

  /// Permission bits of what is at `path`, symlinks followed.
  package static func mode(_ path: String) throws(SystemError) -> UInt32 {
    var status = stat()
    try check("stat", path) { stat(path, &status) }
    return status.st_mode & 0o7777
  }

  /// chmod(2).
  package static func setMode(_ path: String, _ mode: UInt32) throws(SystemError) {
    try check("chmod", path) { chmod(path, mode) }
  }
}

/// Whom a file belongs to.
package struct FileOwner: Hashable, Sendable, Codable {
  package var user: UInt32
  package var group: UInt32

  package init(user: UInt32, group: UInt32) {
    self.user = user
    self.group = group
  }

  package static let root = FileOwner(user: 0, group: 0)
}

extension IDMaps {
  /// Outside of the namespace; nil where it maps one of the two not.
  package func owner(_ inside: FileOwner) -> FileOwner? {
    guard let user = user(inside.user), let group = group(inside.group) else { return nil }
    return FileOwner(user: user, group: group)
  }
}
