import CLinux

/// A connection to a foreign shim's Task service, of version 2 or 3: their messages are the same.
final class TaskClient {
  /// An answer, to the request of that stream.
  struct Reply {
    let stream: UInt32
    let payload: Bytes
    let failure: Failure?
  }

  let descriptor: Int32
  private(set) var version: Int64
  /// The connection has ended.
  private(set) var isLost = false
  /// An answer did not come in time.
  private(set) var isDeaf = false
  private var isVersionKnown = false
  private var next: UInt32 = 1
  private var input = Bytes()

  init(_ address: Bytes, version: Int64) throws(Failure) {
    descriptor = try ShimAddress.connect(address)
    self.version = version
  }

  deinit { close(descriptor) }

  /// Waits for the answer. A shim that does not know the service in this version is asked in the other.
  @discardableResult
  func call(_ method: StaticString, _ message: Bytes, within milliseconds: Int64? = nil) throws(Failure) -> Bytes {
    do throws(Failure) { return try callOnce(method, message, milliseconds) } catch {
      guard error.code == .unimplemented, !isVersionKnown else { throw error.at("Task/" + Bytes(method)) }
      version = version == 3 ? 2 : 3
    }
    do throws(Failure) { return try callOnce(method, message, milliseconds) } catch { throw error.at("Task/" + Bytes(method)) }
  }

  private func callOnce(_ method: StaticString, _ message: Bytes, _ milliseconds: Int64?) throws(Failure) -> Bytes {
    let stream = try send(method, message)
    let deadline = milliseconds.map { shim_monotonic() + $0 * 1_000_000 }
    while true {
      guard let reply = try receive(until: deadline) else {
        isDeaf = true
        throw Failure(.internal, "no answer in time")
      }
      guard reply.stream == stream else { continue }
      if let failure = reply.failure { throw failure }
      isVersionKnown = true
      return reply.payload
    }
  }

  /// Sends a request; `receive` brings its answer, by the stream that this returns.
  @discardableResult
  func send(_ method: StaticString, _ message: Bytes) throws(Failure) -> UInt32 {
    var request = ProtobufWriter()
    request.put(1, "containerd.task.v" + Bytes(decimal: version) + ".Task")
    request.put(2, Bytes(method))
    request.put(3, message)
    defer { next += 2 }
    guard Files.writeAll(descriptor, TtrpcHeader.requestFrame(stream: next, request.bytes)) else { throw lost(clinux_errno()) }
    return next
  }

  /// Nil when `deadline` (monotonic, nanoseconds) is over.
  func receive(until deadline: Int64?) throws(Failure) -> Reply? {
    var polls = PollSet()
    while true {
      if let reply = try nextReply() { return reply }
      let left = deadline.map { ($0 - shim_monotonic() + 999_999) / 1_000_000 }
      if let left, left <= 0 { return nil }
      polls.clear()
      _ = polls.add(descriptor, POLLIN)
      if polls.wait(Int32(min(left ?? -1, 1 << 30))) > 0 { try fill() }
    }
  }

  /// Reads once.
  func fill() throws(Failure) {
    let count = Files.appendChunk(descriptor, &input, size: 8192)
    if count < 0 && (clinux_errno() == EINTR || clinux_errno() == EAGAIN) { return }
    guard count > 0 else { throw lost(count < 0 ? clinux_errno() : 0) }
  }

  /// One that was read completely.
  func nextReply() throws(Failure) -> Reply? {
    guard input.count >= TtrpcHeader.size else { return nil }
    let header = TtrpcHeader(input[0..<TtrpcHeader.size])
    guard header.length <= TtrpcHeader.limit else { throw lost(EMSGSIZE) }
    let end = TtrpcHeader.size + header.length
    guard input.count >= end else { return nil }
    let data = Bytes(input[TtrpcHeader.size..<end])
    input = Bytes(input[end...])
    do throws(Malformed) { return try Reply(stream: header.stream, data) } catch { throw lost(EPROTO) }
  }

  private func lost(_ number: Int32) -> Failure {
    isLost = true
    return Failure(.unknown, number == 0 ? Bytes("the shim has closed the connection") : "the shim's connection: " + Bytes(errno: number))
  }
}

extension TaskClient.Reply {
  /// The envelope: google.rpc.Status, payload.
  init(stream: UInt32, _ data: Bytes) throws(Malformed) {
    let (status, payload) = try ProtobufReader.pair(data)
    self.init(stream: stream, payload: payload, failure: try Failure(status: status))
  }
}

extension Failure {
  /// google.rpc.Status; nil for OK.
  fileprivate init?(status: Bytes) throws(Malformed) {
    var (number, message) = (Int32(0), Bytes())
    var reader = ProtobufReader(status)
    while let field = try reader.next() {
      if field.number == 1 { number = field.int32 }
      if field.number == 2 { message = field.bytes }
    }
    guard number != 0 else { return nil }
    self.init(Code(rawValue: number) ?? .unknown, message)
  }
}
