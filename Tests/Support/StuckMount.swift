import CLinux
package import Linux

/// A filesystem whose server takes a request and never answers: who made it cannot even be killed until this is gone (`fs/fuse/dev.c`,
/// `request_wait_answer`).
package struct StuckMount: ~Copyable {
  private let path: String
  private let server: FileHandle

  private init(_ path: String, _ server: consuming FileHandle) {
    self.path = path
    self.server = server
  }

  package static func make(at path: String) throws(SystemError) -> StuckMount {
    let server = try FileHandle.open("/dev/fuse", O_RDWR)
    try Mounts.mount("stuck", on: path, type: "fuse", data: "fd=\(server.raw),rootmode=40000,user_id=0,group_id=0")
    let mount = StuckMount(path, server)
    try mount.answerInit()
    return mount
  }

  /// Blocks until there is a request, and takes it.
  package func takeRequest() throws(SystemError) { _ = try request() }

  private func request() throws(SystemError) -> [UInt8] {
    // A request may be as large as the largest write, and its headers.
    var bytes = [UInt8](repeating: 0, count: 1 << 17)
    let count = try check("read", "/dev/fuse") { bytes.withUnsafeMutableBytes { read(server.raw, $0.baseAddress, $0.count) } }
    return Array(bytes[..<count])
  }

  /// `fuse_out_header` and `fuse_init_out` of <linux/fuse.h>, protocol 7.31.
  private func answerInit() throws(SystemError) {
    let unique = try request()[8..<16]
    let numbers: [UInt32] = [7, 31, 1 << 16, 0, 0, 1 << 16, 1, 0]
    var answer = Self.bytes(80) + Self.bytes(0) + unique + numbers.flatMap(Self.bytes)
    answer += [UInt8](repeating: 0, count: 80 - answer.count)
    try check("write", "/dev/fuse") { answer.withUnsafeBytes { write(server.raw, $0.baseAddress, $0.count) } }
  }

  private static func bytes(_ number: UInt32) -> [UInt8] { withUnsafeBytes(of: number.littleEndian) { Array($0) } }

  deinit { try? Mounts.unmountIfMounted(path) }
}
