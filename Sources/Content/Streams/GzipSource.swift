import CISAL
import Core

/// Inflates gzip (RFC 1952) with ISA-L, all members one after the other.
final class GzipSource: ByteSource {
  private let source: any ByteSource
  /// On the heap: it is 80 kB.
  private let state: UnsafeMutablePointer<inflate_state>
  private let output: UnsafeMutablePointer<UInt8>
  private var input = UnsafeRawBufferPointer(start: nil, count: 0)
  private var phase = Phase.header

  private enum Phase {
    /// Before a member, the first or a further one.
    case header
    /// Inside a member.
    case member
    /// Behind a member: another one, zero padding, or the end.
    case between
    case ended
  }

  private static let outputSize = 256 << 10

  init(_ source: any ByteSource) {
    self.source = source
    state = .allocate(capacity: 1)
    state.initialize(to: inflate_state())
    output = .allocate(capacity: Self.outputSize)
  }

  deinit {
    state.deallocate()
    output.deallocate()
  }

  func next() throws -> UnsafeRawBufferPointer? {
    while true {
      switch phase {
      case .ended: return nil
      case .header: startMember()
      case .between: try findMember()
      case .member:
        let count = try inflate()
        if count > 0 { return UnsafeRawBufferPointer(start: output, count: count) }
      }
    }
  }

  private func startMember() {
    isal_inflate_init(state)
    state.pointee.crc_flag = UInt32(ISAL_GZIP)
    phase = .member
  }

  /// Zero bytes after a member are padding (gzip(1) says the same); anything else has to be a member.
  private func findMember() throws {
    while let first = input.first ?? refill()?.first {
      if first != 0 {
        phase = .header
        return
      }
      input = UnsafeRawBufferPointer(rebasing: input.dropFirst())
    }
    try failure.map { throw $0 }
    phase = .ended
  }

  private var failure: (any Error)?

  /// More input; `nil` at the end or where reading failed.
  private func refill() -> UnsafeRawBufferPointer? {
    do {
      guard let bytes = try source.next() else { return nil }
      input = bytes
      return bytes
    } catch {
      failure = error
      return nil
    }
  }

  /// One call of the library; the number of bytes that came out.
  private func inflate() throws -> Int {
    if input.isEmpty, refill() == nil {
      try failure.map { throw $0 }
      return try flush()
    }
    return try step()
  }

  private func step() throws -> Int {
    state.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress!.assumingMemoryBound(to: UInt8.self))
    state.pointee.avail_in = UInt32(input.count)
    let count = try run()
    input = UnsafeRawBufferPointer(rebasing: input.suffix(Int(state.pointee.avail_in)))
    return count
  }

  /// Without further input: what is still inside comes out, or the member was cut.
  private func flush() throws -> Int {
    state.pointee.avail_in = 0
    let count = try run()
    if count == 0, phase == .member { throw Fault(.dataLoss, "gzip: the data ends in the middle") }
    return count
  }

  private func run() throws -> Int {
    state.pointee.next_out = output
    state.pointee.avail_out = UInt32(Self.outputSize)
    let result = isal_inflate(state)
    guard result >= 0 else { throw Fault(.dataLoss, "gzip: \(Self.explain(result))") }
    if state.pointee.block_state == ISAL_BLOCK_FINISH { phase = .between }
    return Self.outputSize - Int(state.pointee.avail_out)
  }

  private static func explain(_ result: Int32) -> String {
    switch result {
    case ISAL_INVALID_BLOCK: "damaged data (invalid block)"
    case ISAL_INVALID_SYMBOL: "damaged data (invalid symbol)"
    case ISAL_INVALID_LOOKBACK: "damaged data (reference before the start)"
    case ISAL_INVALID_WRAPPER, -5: "not a gzip header"
    case ISAL_INCORRECT_CHECKSUM: "checksum does not match"
    default: "damaged data (\(result))"
    }
  }
}

/// Whether ISA-L inflates correctly on this machine: asked once, with a small gzip member.
enum ISAL {
  static let works: Bool = {
    let source = GzipSource(OneChunk(probe))
    guard let bytes = try? source.next() else { return false }
    return bytes.elementsEqual("berth\n".utf8)
  }()

  /// `printf 'berth\n' | gzip -n`.
  private static let probe: [UInt8] = [
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x4b, 0x4a, 0x2d, 0x2a, 0xc9, 0xe0, 0x02, 0x00, 0xe5, 0x57, 0x13, 0x7a,
    0x06, 0x00, 0x00, 0x00,
  ]
}

/// A source of one piece.
final class OneChunk: ByteSource {
  private let bytes: UnsafeMutableRawBufferPointer
  private var isGiven = false

  init(_ bytes: [UInt8]) {
    self.bytes = .allocate(byteCount: max(bytes.count, 1), alignment: 16)
    self.bytes.copyBytes(from: bytes)
  }

  deinit { bytes.deallocate() }

  func next() throws -> UnsafeRawBufferPointer? {
    defer { isGiven = true }
    return isGiven ? nil : UnsafeRawBufferPointer(bytes)
  }
}
