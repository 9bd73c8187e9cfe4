import Support

/// Archives of whatever leads out of a directory, made up from a seed.
struct HostileEntries {
  private var numbers: SeededNumbers

  init(seed: UInt64) { numbers = SeededNumbers(seed: seed) }

  private static let names = [
    "a", "b", "lib", "etc", "passwd", "up", ".", "..", "...", "", "\u{0}", " ", "s", "loop", ".wh.a", ".wh.", ".wh...", ".wh..wh..opq",
    ".wh..wh.plnk", "a\nb", "é", String(repeating: "n", count: 255), String(repeating: "n", count: 256),
  ]
  private static let targets = [
    "..", "../..", "/", "/a", ".", "a/../..", "../../../../../../berth-escape", "/berth-escape", "lib", "s", "loop", "up/..", "", "a/b/lib",
    "/proc/self/root/berth-escape", "/proc/self/cwd", String(repeating: "../", count: 60) + "berth-escape", "etc/passwd",
  ]
  private static let records: [(String, String)] = [
    ("path", "../berth-escape"), ("path", ""), ("linkpath", "/berth-escape"), ("size", "-1"), ("size", "99999999999999999999"),
    ("size", "3"),
    ("mtime", "-9223372036854775809"), ("mtime", "1e99"), ("uid", "4294967295"), ("gid", "-2"), ("GNU.sparse.map", "0,1,5,9"),
    ("GNU.sparse.size", "4611686018427387904"), ("GNU.sparse.realsize", "77"), ("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"),
    ("GNU.sparse.name", "../berth-escape"), ("SCHILY.xattr.trusted.overlay.opaque", "y"), ("SCHILY.xattr.user.x", "1"),
    ("SCHILY.xattr.security.capability", "x"), ("SCHILY.xattr.trusted.overlay.redirect", "/berth-escape"), ("hdrcharset", "BINARY"),
    ("LIBARCHIVE.symlinktype", "dir"), ("SCHILY.acl.access", "user::rwx,user:0:r"),
  ]
  private static let types = Array("0000000555555522222211113467xgLKSDV")

  /// An archive of a few entries, now and then damaged.
  mutating func archive() -> [UInt8] {
    var bytes = Tar((0..<Int.random(in: 1...12, using: &numbers)).map { _ in entry() }).bytes
    if chance(3) { damage(&bytes) }
    return bytes
  }

  private mutating func chance(_ odds: Int) -> Bool { Int.random(in: 0..<odds, using: &numbers) == 0 }

  private mutating func pick<T>(_ all: [T]) -> T { all[Int.random(in: 0..<all.count, using: &numbers)] }

  private mutating func path() -> String {
    let path = (0..<Int.random(in: 1...4, using: &numbers)).map { _ in pick(Self.names) }.joined(separator: "/")
    return chance(8) ? "/" + path : path
  }

  private mutating func entry() -> Tar.Entry {
    var entry = Tar.Entry.fifo(path())
    entry.type = pick(Self.types)
    entry.link = chance(3) ? path() : pick(Self.targets)
    entry.mode = pick([0, 0o644, 0o755, 0o7777, 0o170777, 0o4755])
    if "0xgLKS".contains(entry.type) {
      entry.content = Array(repeating: UInt8(ascii: "x"), count: pick([0, 1, 511, 512, 513, 9000]))
    }
    if "xg".contains(entry.type) { entry.content = Array("18 path=../berth-escape\n".utf8) }
    entry.device = (pick([0, 1, 8, 4095]), pick([0, 3, 255]))
    if chance(6) { entry.pax = (0..<Int.random(in: 1...3, using: &numbers)).map { _ in pick(Self.records) } }
    if chance(20) { entry.size = pick([0, 1, 513, 1 << 40, .max]) }
    return entry
  }

  /// Bytes of headers changed, and the headers' sums made right again, so that the change is looked at.
  private mutating func damage(_ bytes: inout [UInt8]) {
    for _ in 0..<Int.random(in: 1...4, using: &numbers) {
      let block = Int.random(in: 0..<bytes.count / 512, using: &numbers) * 512
      bytes[block + Int.random(in: 0..<512, using: &numbers)] = pick([
        0, 0x20, 0x2f, 0x2e, 0x80, 0xff, UInt8.random(in: 0...255, using: &numbers),
      ])
      if bytes[block + 257] == UInt8(ascii: "u") { Self.mend(&bytes, block) }
    }
  }

  private static func mend(_ bytes: inout [UInt8], _ block: Int) {
    for index in block + 148..<block + 156 { bytes[index] = 0x20 }
    let sum = String(bytes[block..<block + 512].reduce(0) { $0 + Int($1) }, radix: 8)
    bytes.replaceSubrange(
      block + 148..<block + 155, with: (String(repeating: "0", count: max(0, 6 - sum.count)) + sum).utf8.prefix(6) + [0])
  }
}
