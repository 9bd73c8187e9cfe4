import Linux

/// Where a command's output goes: what was asked for to `out`, everything about it to `errors`.
struct Console: Sendable {
  /// Descriptors; not owned.
  let out: Int32
  let errors: Int32

  static let standard = Console(out: 1, errors: 2)

  func print(_ line: String) { write(Array((line + "\n").utf8), to: out) }

  func note(_ line: String) { write(Array((line + "\n").utf8), to: errors) }

  /// A failure, as every Unix program says it.
  func complain(_ message: String) { note("berth: \(message)") }

  /// A reader that has gone away (`berth logs | head`) is no failure of ours; SIGPIPE ends the program where that is wanted.
  func write(_ bytes: [UInt8], to descriptor: Int32) { try? Files.write(bytes, to: descriptor, "output") }
}
