import CLinux
package import Linux

/// A filesystem whose server never answers: every look below its root hangs until this is gone.
package struct DeadMount: ~Copyable {
  private let path: String
  private let server: FileHandle

  private init(_ path: String, _ server: consuming FileHandle) {
    self.path = path
    self.server = server
  }

  package static func make(at path: String) throws(SystemError) -> DeadMount {
    let server = try FileHandle.open("/dev/fuse", O_RDWR)
    try Mounts.mount("dead", on: path, type: "fuse", data: "fd=\(server.raw),rootmode=40000,user_id=0,group_id=0")
    return DeadMount(path, server)
  }

  deinit { try? Mounts.unmountIfMounted(path) }
}
