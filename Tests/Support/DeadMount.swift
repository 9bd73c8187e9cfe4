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

  /// After ``greet()``: blocks until there is a request, and takes it. Who made it cannot even be killed then (`fs/fuse/dev.c`,
  /// `request_wait_answer`).
  package func takeRequest() throws(SystemError) { _ = try request() }

  private func request() throws(SystemError) -> [UInt8] {
    // A request may be as large as the largest write, and its headers.
    var bytes = [UInt8](repeating: 0, count: 1 << 17)
    let count = try check("read", "/dev/fuse") { bytes.withUnsafeMutableBytes { read(server.raw, $0.baseAddress, $0.count) } }
    return Array(bytes[..<count])
  }

  /// Answers the kernel's greeting, so that requests are sent: `fuse_out_header` and `fuse_init_out` of <linux/fuse.h>, protocol 7.31.
  package func greet() throws(SystemError) {
    let unique = try request()[8..<16]
    let numbers: [UInt32] = [7, 31, 1 << 16, 0, 0, 1 << 16, 1, 0]
    var answer = Self.bytes(80) + Self.bytes(0) + unique + numbers.flatMap(Self.bytes)
    answer += [UInt8](repeating: 0, count: 80 - answer.count)
    try check("write", "/dev/fuse") { answer.withUnsafeBytes { write(server.raw, $0.baseAddress, $0.count) } }
  }

  private static func bytes(_ number: UInt32) -> [UInt8] { withUnsafeBytes(of: number.littleEndian) { Array($0) } }

  deinit { try? Mounts.unmountIfMounted(path) }
}
