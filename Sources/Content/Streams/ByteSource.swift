import Core

/// Bytes pulled by a thread that may block, stage after stage: network → inflate → tar.
protocol ByteSource: AnyObject {
  /// The next bytes, never empty and valid until the next call; `nil` at the end. Throws a ``Fault``.
  func next() throws -> UnsafeRawBufferPointer?
}

/// Takes what is left of a source.
extension ByteSource {
  func drain() throws {
    while try next() != nil {}
  }
}
