import NIOCore

/// Makes pieces of a decent size from buffers as they come, dropping what is known already and refusing what is too much.
struct PieceBuilder {
  struct TooLong: Error {}

  private var skip: Int64
  private var left: Int64
  private let pieceSize: Int
  private var piece: [UInt8] = []

  init(skip: Int64, left: Int64, pieceSize: Int) {
    self.skip = skip
    self.left = left
    self.pieceSize = pieceSize
  }

  /// A piece, when one is full.
  mutating func add(_ buffer: ByteBuffer) throws(TooLong) -> [UInt8]? {
    var view = buffer.readableBytesView
    if skip > 0 {
      let dropped = Int(min(skip, Int64(view.count)))
      view = view.dropFirst(dropped)
      skip -= Int64(dropped)
    }
    guard Int64(view.count) <= left else { throw TooLong() }
    left -= Int64(view.count)
    if piece.isEmpty { piece.reserveCapacity(min(pieceSize + (64 << 10), Int(left) + view.count)) }
    piece.append(contentsOf: view)
    return piece.count >= pieceSize ? rest() : nil
  }

  /// What is gathered; `nil` for nothing.
  mutating func rest() -> [UInt8]? {
    if piece.isEmpty { return nil }
    defer { piece = [] }
    return piece
  }
}
