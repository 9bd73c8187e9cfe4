import CLinux

/// Where a foreign shim listens, and what it speaks there: what its `start` printed.
struct ShimAddress {
  /// As it was told.
  var text = Bytes()
  var version: Int64 = 2

  /// One of three forms: a bare address (containerd 1.6), JSON (1.7), or a protobuf message (2.3).
  init(answer: Bytes) throws(Failure) {
    let words = Bytes(answer.drop(while: Self.isBlank).reversed().drop(while: Self.isBlank).reversed())
    var kind = Bytes("ttrpc")
    if words.first == 0x7b {
      text = JSONText.text(of: "\"address\"", in: words) ?? []
      version = JSONText.number(of: "\"version\"", in: words) ?? 2
      kind = JSONText.text(of: "\"protocol\"", in: words) ?? kind
    } else if let message = try? BootstrapResult(answer) {
      (text, version) = (message.address, message.version)
      if !message.kind.isEmpty { kind = message.kind }
    } else {
      text = words
    }
    guard kind.matches("ttrpc") else { throw Failure(.unimplemented, "it speaks \"" + kind + "\", and only ttrpc is spoken here") }
    guard (2...3).contains(version) else { throw Failure(.unimplemented, "its task API has version " + Bytes(decimal: version)) }
    guard Self.isAddress(text) else { throw Failure(.internal, "it told no address but \"" + Bytes(words.prefix(200)) + "\"") }
  }

  /// containerd.runtime.bootstrap.v1.BootstrapResult
  private struct BootstrapResult {
    var version: Int64 = 0
    var address = Bytes()
    var kind = Bytes()

    init(_ message: Bytes) throws(Malformed) {
      var reader = ProtobufReader(message)
      while let field = try reader.next() {
        switch field.number {
        case 1: version = field.int64
        case 2: address = field.bytes
        case 3: kind = field.bytes
        default: break
        }
      }
      guard version > 0, !address.isEmpty else { throw Malformed() }
    }
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }

  private static func isAddress(_ text: Bytes) -> Bool {
    !text.isEmpty && text.count < 200 && text.allSatisfy { $0 > 32 && $0 < 127 } && (text.find("://") == nil || text.hasPrefix("unix:///"))
      && text.contains(47)
  }

  /// The file, or nil for an abstract name.
  static func path(of address: Bytes) -> Bytes? {
    if address.hasPrefix("unix://") { return Bytes(address.dropFirst(7)) }
    return address.first == 47 && Files.exists(address) ? address : nil
  }

  static func connect(_ address: Bytes) throws(Failure) -> Int32 {
    let path = path(of: address)
    let name = path ?? address
    let fd = name.withCString { foreign_connect($0, name.count, path == nil ? 1 : 0) }
    guard fd >= 0 else { throw SystemFailure.failure("connecting to", address) }
    return fd
  }
}
