/// The receiving side of one stream: what may come next, and how much body was promised.
struct InboundStream {
  enum Phase {
    /// May become `body` or `ended`.
    case headers
    /// May become `ended`.
    case body
    case ended
    /// What came broke a rule, and the stream is being reset: nothing more of it counts.
    case refused
  }
  private(set) var phase = Phase.headers
  private var remaining: Int?

  /// The kind of the header block that begins now.
  func nextBlock(isServer: Bool) -> HeaderBlockKind {
    switch phase {
    case .headers: isServer ? .request : .response
    case .body, .ended, .refused: .trailers
    }
  }

  mutating func received(contentLength: Int?) {
    phase = .body
    remaining = contentLength
  }

  mutating func received(data count: Int) throws(HeaderViolation) {
    guard let remaining else { return }
    guard count <= remaining else { throw .malformed("more data than content-length") }
    self.remaining = remaining - count
  }

  mutating func refuse() { phase = .refused }

  mutating func ended() throws(HeaderViolation) {
    phase = .ended
    guard remaining ?? 0 == 0 else { throw .malformed("less data than content-length") }
  }
}
