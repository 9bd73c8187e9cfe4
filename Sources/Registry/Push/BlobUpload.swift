import AsyncHTTPClient
import Core
import NIOHTTP1
import OCI
import Synchronization

/// Uploads one blob, over as many connections as it takes.
struct BlobUpload: Sendable {
  let exchange: PushExchange
  let descriptor: Descriptor
  let policy: TransferPolicy
  let progress: @Sendable (Int64) -> Void
  let open: @Sendable (Int64) async throws -> any BlobStream
  /// Whether the registry has the blob after all.
  let isThere: @Sendable () async throws -> Bool

  func run() async throws(Fault) {
    var course = UploadCourse(size: descriptor.size, policy: policy)
    var session = Session()
    var last: AttemptFailure?
    while true {
      let step = course.next()
      do {
        switch step {
        case .stop: throw last?.fault ?? Fault(.unavailable, "the upload did not come to its end")
        case .wait(let pause): try await Task.sleep(for: pause)
        case .begin: try await begin(&session, &course)
        case .inquire: if try await inquire(&session, &course) { return }
        case .whole: return try await close(session, from: 0)
        case .close: return try await close(session, from: descriptor.size)
        case .chunk(let from, let count): try await send(&session, &course, from, count)
        }
      } catch let failure as AttemptFailure {
        last = failure
        try note(failure, session.sent.value, &course)
      } catch {
        throw Fault(error)
      }
    }
  }

  private struct Session {
    var address: WebAddress?
    /// Of the request under way, bytes given to the connection.
    let sent = Counter()
  }

  private final class Counter: Sendable {
    private let count = Mutex<Int64>(0)
    var value: Int64 { count.withLock { $0 } }
    func set(_ value: Int64) { count.withLock { $0 = value } }
  }

  /// What a failure means for the way on.
  private func note(_ failure: AttemptFailure, _ sent: Int64, _ course: inout UploadCourse) throws(Fault) {
    if failure.fault.code == .cancelled || Task.isCancelled { throw Fault(.cancelled, "cancelled") }
    if failure.fault.cause is TooLarge { return course.tooLarge() }
    let isPatient = (failure.retryAfter ?? .zero) <= policy.retryAfterCap
    guard failure.isTransient, isPatient else { throw failure.fault }
    course.broke(sent: sent, retryAfter: failure.retryAfter)
  }

  /// The cause of a 413.
  private struct TooLarge: Error {}

  private func expect(_ request: PushRequest, _ expected: Set<UInt>) async throws(AttemptFailure) -> HTTPClientResponse {
    let response = try await exchange.send(request)
    if expected.contains(response.status.code) {
      await exchange.exchange.discard(response)
      return response
    }
    let failure = await Refusal(response, within: policy).failure(request.display)
    guard response.status.code == 413 else { throw failure }
    throw AttemptFailure(Fault(.resourceExhausted, failure.fault.message, cause: TooLarge()))
  }

  private func begin(_ session: inout Session, _ course: inout UploadCourse) async throws(AttemptFailure) {
    session.sent.set(0)
    progress(0)
    let request = PushRequest(method: .POST, address: exchange.endpoint.address("blobs/uploads/"))
    let response = try await expect(request, [202])
    session.address = try exchange.location(response, of: request)
    course.began(minimum: response.headers.first(name: "OCI-Chunk-Min-Length").flatMap { Int64($0) })
  }

  /// True where the blob is there, though the answer that said so was lost.
  private func inquire(_ session: inout Session, _ course: inout UploadCourse) async throws -> Bool {
    guard let address = session.address else { throw Fault(.internal, "an upload without a session") }
    if try await isThere() { return true }
    let request = PushRequest(method: .GET, address: address)
    let response = try await exchange.send(request)
    defer { session.sent.set(0) }
    guard response.status.code == 204 || response.status.code == 202 else {
      let refusal = await Refusal(response, within: policy).failure(request.display)
      if refusal.isTransient { throw refusal }
      course.lost()
      return false
    }
    await exchange.exchange.discard(response)
    session.address = try exchange.location(response, of: request)
    course.stands(at: UploadRange.end(response.headers.first(name: "Range")) ?? 0)
    return false
  }

  private func send(_ session: inout Session, _ course: inout UploadCourse, _ from: Int64, _ count: Int64) async throws {
    guard let address = session.address else { throw Fault(.internal, "an upload without a session") }
    var request = body(.PATCH, address, session, from: from, count: count)
    request.headers.append(("Content-Range", "\(from)-\(from + count - 1)"))
    // A connection that bears only so many bytes must not have borne some already: docker-registry forgets a session whose chunk breaks.
    if count < UploadCourse.largestChunk { request.headers.append(("Connection", "close")) }
    let response = try await expect(request, [202])
    session.address = try exchange.location(response, of: request)
    session.sent.set(0)
    course.stands(at: UploadRange.end(response.headers.first(name: "Range")) ?? from + count)
  }

  /// The request that ends the session, with the bytes from `from` on.
  private func close(_ session: Session, from: Int64) async throws {
    guard let address = session.address else { throw Fault(.internal, "an upload without a session") }
    let final = address.adding("digest", descriptor.digest.description)
    _ = try await expect(body(.PUT, final, session, from: from, count: descriptor.size - from), [201, 204])
    progress(descriptor.size)
  }

  private func body(_ method: HTTPMethod, _ address: WebAddress, _ session: Session, from: Int64, count: Int64) -> PushRequest {
    var request = PushRequest(method: method, address: address)
    request.headers = [("Content-Type", "application/octet-stream")]
    if count == 0 { return request }
    let (open, progress, sent) = (open, progress, session.sent)
    request.body = .stream(length: count) { try await open(from) }
    request.sent = { bytes in
      sent.set(bytes)
      progress(from + bytes)
    }
    return request
  }
}

/// `0-1023`, as upload sessions say how much they have: the number of bytes.
enum UploadRange {
  static func end(_ header: String?) -> Int64? {
    guard let header else { return nil }
    let text = header.hasPrefix("bytes=") ? header.dropFirst(6) : header[...]
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0] == "0", let last = Int64(parts[1]), last >= 0, last < Int64.max else { return nil }
    // An empty session is `0-0`, and so is one of a single byte: the former is far more likely, and the latter costs one byte.
    return last == 0 ? 0 : last + 1
  }
}
