import Core
import Linux

/// Where the members of a tar are, for reading them in any order: names and extents only (POSIX ustar and pax, GNU long names).
struct TarIndex: Sendable {
  struct Extent: Sendable, Hashable {
    var offset: Int64
    var size: Int64
  }

  private(set) var files: [String: Extent] = [:]
  /// Old `docker save` links layers that occur twice: name → target, relative to the link's directory.
  private(set) var links: [String: String] = [:]

  private static let block: Int64 = 512
  /// Names and PAX headers are small.
  private static let headerLimit: Int64 = 1 << 20
  private static let memberLimit = 100_000

  /// INVALID_ARGUMENT where the file is no tar.
  init(_ file: borrowing FileHandle) throws {
    let end = try file.status().size
    var offset: Int64 = 0
    var extended = Extended()
    while let header = try Self.header(file, at: offset) {
      let size = extended.size ?? header.size
      offset += Self.block
      guard size >= 0, size <= end - offset else { throw Fault(.dataLoss, "the archive is shorter than it says") }
      switch header.type {
      case UInt8(ascii: "x"): extended.read(pax: try Self.content(file, offset, size))
      case UInt8(ascii: "L"): extended.path = Self.text(try Self.content(file, offset, size))
      case UInt8(ascii: "g"), UInt8(ascii: "K"): break
      default:
        try add(header, extended, Extent(offset: offset, size: size))
        extended = Extended()
      }
      offset += (size + Self.block - 1) / Self.block * Self.block
    }
  }

  private static let damaged = Fault(.invalidArgument, "it is no tar archive")

  private mutating func add(_ header: Header, _ extended: Extended, _ extent: Extent) throws(Fault) {
    let name = Self.normal(extended.path ?? header.path)
    switch header.type {
    case UInt8(ascii: "0"), 0: files[name] = extent
    case UInt8(ascii: "2"), UInt8(ascii: "1"):
      let target = extended.link ?? header.link
      let base = header.type == UInt8(ascii: "1") ? [] : name.split(separator: "/").dropLast()
      links[name] = Self.normal((base + target.split(separator: "/")).joined(separator: "/"))
    default: break
    }
    guard files.count + links.count <= Self.memberLimit else { throw Fault(.invalidArgument, "it has too many members") }
  }

  /// The extent of a member, links followed.
  func find(_ name: String) -> Extent? {
    var name = Self.normal(name)
    for _ in 0..<10 {
      if let extent = files[name] { return extent }
      guard let target = links[name] else { return nil }
      name = target
    }
    return nil
  }

  /// `./a/../b` → `b`; never above the archive's root.
  static func normal(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return parts.joined(separator: "/")
  }

  private struct Header {
    var path: String
    var link: String
    var type: UInt8
    var size: Int64
  }

  /// What a PAX or GNU header says of the next member.
  private struct Extended {
    var path: String?
    var link: String?
    var size: Int64?

    mutating func read(pax bytes: [UInt8]) {
      for line in bytes.split(separator: 0x0a) {
        let words = String(decoding: line, as: UTF8.self).split(separator: " ", maxSplits: 1)
        guard words.count == 2, let equals = words[1].firstIndex(of: "=") else { continue }
        let value = String(words[1][words[1].index(after: equals)...])
        switch words[1][..<equals] {
        case "path": path = value
        case "linkpath": link = value
        case "size": size = Int64(value)
        default: break
        }
      }
    }
  }

  /// `nil` at the end of the archive.
  private static func header(_ file: borrowing FileHandle, at offset: Int64) throws -> Header? {
    let bytes = try content(file, offset, block, short: offset > 0)
    if bytes.isEmpty || bytes.allSatisfy({ $0 == 0 }) { return nil }
    guard bytes[257..<262].elementsEqual("ustar".utf8), sum(bytes) == number(bytes[148..<156]) else { throw damaged }
    // GNU's header has other things where POSIX has the prefix.
    let prefix = bytes[262] == 0 ? text(bytes[345..<500]) : ""
    let name = text(bytes[0..<100])
    return Header(
      path: prefix.isEmpty ? name : "\(prefix)/\(name)", link: text(bytes[157..<257]), type: bytes[156],
      size: number(bytes[124..<136]))
  }

  private static func content(_ file: borrowing FileHandle, _ offset: Int64, _ size: Int64, short: Bool = false) throws -> [UInt8] {
    guard size <= headerLimit else { throw damaged }
    var bytes = [UInt8](repeating: 0, count: Int(size))
    let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: offset) }
    if short, count == 0 { return [] }
    guard count == bytes.count else { throw damaged }
    return bytes
  }

  private static func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }

  /// Octal, or base 256 where the first bit is set.
  private static func number(_ bytes: ArraySlice<UInt8>) -> Int64 {
    if let first = bytes.first, first & 0x80 != 0 { return bytes.suffix(8).reduce(0) { $0 << 8 | Int64($1) } }
    let digits = text(bytes).filter { $0 != " " }
    return digits.isEmpty ? 0 : Int64(digits, radix: 8) ?? -1
  }

  private static func sum(_ bytes: [UInt8]) -> Int64 {
    bytes.enumerated().reduce(0) { $0 + ((148..<156).contains($1.offset) ? 0x20 : Int64($1.element)) }
  }
}
