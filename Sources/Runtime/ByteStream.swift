import CLinux

/// A stream of a shim's Streaming service (containerd.services.streaming.v1), on a connection of its own. What goes over it are
/// `containerd.types.transfer.Data`, no more at a time than the other side has asked for by `WindowUpdate`.
final class ByteStream: Endpoint {
  private static let patience: Int64 = 10_000
  /// Bytes that the other side may send ahead, and those of one message, as containerd has them.
  private static let window: Int64 = 64 << 10
  private static let largest: Int64 = 32 << 10

  private let id: Bytes
  private let isWriter: Bool
  /// The beginning of a frame, and what is still to be sent.
  private var incomplete = Bytes()
  private var unsent = Bytes()
  /// What has come and is not yet handed on.
  private var arrived = Bytes()
  private var isAccepted = false
  private var hasEnded = false
  /// Bytes that the other side takes, and those that it may send.
  private var room: Int64 = 0
  private var granted: Int64 = 0

  private init(_ id: Bytes, _ descriptor: Int32, isWriter: Bool) {
    (self.id, self.isWriter) = (id, isWriter)
    super.init(descriptor)
  }

  /// One that the shim knows by `id`, and has accepted.
  static func open(_ id: Bytes, at address: Bytes, isWriter: Bool) throws(Failure) -> ByteStream {
    let stream = ByteStream(id, try ShimAddress.connect(address), isWriter: isWriter)
    do throws(Failure) { try stream.introduce() } catch {
      stream.close()
      throw error
    }
    return stream
  }

  private func introduce() throws(Failure) {
    queue(TtrpcHeader.streamRequest("containerd.services.streaming.v1.Streaming", "Stream"))
    var introduction = ProtobufWriter()
    introduction.put(1, id)
    send("containerd.services.streaming.v1.StreamInit", introduction.bytes)
    let deadline = shim_monotonic() + Self.patience * 1_000_000
    var polls = PollSet()
    while !isAccepted {
      let left = (deadline - shim_monotonic() + 999_999) / 1_000_000
      guard left > 0 else { throw at(Failure(.internal, "no answer in time")) }
      polls.clear()
      join(&polls, POLLIN)
      guard polls.wait(Int32(left)) > 0 else { continue }
      guard flush(), receive() else { throw failure ?? at(Failure(.internal, "the shim has closed it")) }
    }
    grant()
  }

  override func events(_ wanted: Int32) -> Int32 {
    let reading = isWriter ? POLLIN : wanted & POLLIN
    return hasEnded ? 0 : reading | (unsent.isEmpty ? 0 : POLLOUT)
  }

  override func read(into bytes: inout Bytes) -> Bool {
    let goesOn = exchange()
    bytes += arrived
    arrived = []
    grant()
    return goesOn
  }

  override func write(_ bytes: inout Bytes) -> Bool {
    while !bytes.isEmpty, room > 0, unsent.isEmpty {
      let count = Int(min(Int64(bytes.count), room, Self.largest))
      var data = ProtobufWriter()
      data.put(1, Bytes(bytes.prefix(count)))
      bytes.removeFirst(count)
      room -= Int64(count)
      send("containerd.types.transfer.Data", data.bytes)
    }
    return !hasEnded
  }

  override func tend() -> Bool { exchange() }

  override func finish() { queue(TtrpcHeader.streamEnd) }

  /// Lets the other side go on once it may send no more than half of what it could.
  private func grant() {
    guard !isWriter, !hasEnded, granted <= Self.window / 2 else { return }
    var update = ProtobufWriter()
    update.put(1, Self.window)
    granted += Self.window
    send("containerd.types.transfer.WindowUpdate", update.bytes)
  }

  private func send(_ type: StaticString, _ message: Bytes) { queue(TtrpcHeader.streamData(ShimOptions.any(Bytes(type), message))) }

  private func queue(_ frame: Bytes) {
    unsent += frame
    _ = flush()
  }

  /// What has come counts, too, where the other side takes nothing more: the end may be among it, and has been told then.
  private func exchange() -> Bool {
    if !flush() { unsent = [] }
    return receive()
  }

  private func flush() -> Bool { super.write(&unsent) }

  /// False when nothing more comes.
  private func receive() -> Bool {
    guard super.read(into: &incomplete) else { return false }
    while !hasEnded, let frame = nextFrame() {
      do throws(Malformed) { try take(frame) } catch { fail("what it sent is no message") }
    }
    return !hasEnded
  }

  private func nextFrame() -> TtrpcHeader.Frame? {
    guard incomplete.count >= TtrpcHeader.size else { return nil }
    let header = TtrpcHeader(incomplete[..<TtrpcHeader.size])
    guard header.length <= TtrpcHeader.limit else {
      fail("a message is larger than 4 MiB")
      return nil
    }
    let end = TtrpcHeader.size + header.length
    guard incomplete.count >= end else { return nil }
    defer { incomplete.removeFirst(end) }
    return TtrpcHeader.Frame(type: header.type, flags: incomplete[9], data: Bytes(incomplete[TtrpcHeader.size..<end]))
  }

  private func take(_ frame: TtrpcHeader.Frame) throws(Malformed) {
    if frame.type == TtrpcHeader.response {
      failure = try TaskClient.Reply(stream: 1, frame.data).failure.map(at)
      hasEnded = true
    } else if frame.type == TtrpcHeader.data {
      if frame.flags & TtrpcHeader.noData == 0 { try take(message: frame.data) }
      if frame.flags & TtrpcHeader.remoteClosed != 0 { hasEnded = true }
    }
  }

  /// The first one accepts the stream, whatever it is.
  private func take(message: Bytes) throws(Malformed) {
    guard isAccepted else { return isAccepted = true }
    let (type, value) = try ProtobufReader.pair(message)
    guard let field = try Self.first(of: value) else { return }
    if type.find("transfer.Data") != nil {
      granted -= Int64(field.bytes.count)
      arrived += field.bytes
    } else if type.find("transfer.WindowUpdate") != nil {
      room = min(room + Int64(max(field.int32, 0)), 1 << 30)
    }
  }

  private static func first(of message: Bytes) throws(Malformed) -> ProtobufReader.Field? {
    var reader = ProtobufReader(message)
    while let field = try reader.next() { if field.number == 1 { return field } }
    return nil
  }

  private func fail(_ message: StaticString) {
    failure = at(Failure(.internal, message))
    hasEnded = true
  }

  private func at(_ failure: Failure) -> Failure { failure.at("Streaming/Stream, " + id) }
}
