import AsyncHTTPClient
import Core
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// A response that is not what was asked for: its status, and what the registry says about it.
struct Refusal: Sendable {
  private static let bodyLimit = 64 << 10

  let status: HTTPResponseStatus
  let explanation: String
  let retryAfter: Duration?

  /// Reads the body, for a short while.
  init(_ response: HTTPClientResponse, within policy: TransferPolicy) async {
    status = response.status
    retryAfter = response.retryAfter
    let limit = min(policy.documentTimeout, .seconds(5))
    let body = try? await limited(to: limit) { try await response.body.collect(upTo: Self.bodyLimit) }
    explanation = Self.explain(body.map { Array(buffer: $0) } ?? [])
  }

  func failure(_ what: String) -> AttemptFailure {
    var text = "\(what): \(status.code) \(Excerpt.of(status.reasonPhrase))"
    if !explanation.isEmpty { text += ": \(explanation)" }
    if status == .unauthorized { text += " (the repository may not exist, or needs other credentials)" }
    if let retryAfter { text += " (retry after \(retryAfter.components.seconds) s)" }
    return AttemptFailure(Fault(code, text), isTransient: isTransient, retryAfter: retryAfter)
  }

  private var code: Fault.Code {
    switch status.code {
    case 401: .unauthenticated
    case 403: .permissionDenied
    case 404, 410: .notFound
    case 429: .resourceExhausted
    case 408, 500...599: .unavailable
    default: .failedPrecondition
    }
  }

  private var isTransient: Bool { [408, 429, 500, 502, 503, 504].contains(status.code) }

  private struct Body: Decodable {
    struct Problem: Decodable {
      let code: String?
      let message: String?
    }
    let errors: [Problem]?
    let details: String?
    let error: String?
    let errorDescription: String?

    enum CodingKeys: String, CodingKey {
      case errors, details, error
      case errorDescription = "error_description"
    }
  }

  /// Of a page for people, which proxies and load balancers answer with.
  private static func title(_ bytes: [UInt8]) -> String {
    let text = String(decoding: bytes.prefix(4096), as: UTF8.self)
    guard let begin = text.ranges(of: "<title>").first, let end = text[begin.upperBound...].ranges(of: "<").first else { return "" }
    return Excerpt.of(String(text[begin.upperBound..<end.lowerBound]), limit: 120)
  }

  /// The distribution specification's error list or OAuth's error, else the beginning of a text.
  private static func explain(_ bytes: [UInt8]) -> String {
    guard !bytes.isEmpty else { return "" }
    guard let body = try? JSONDecoder().decode(Body.self, from: Data(bytes)) else {
      return bytes.first == UInt8(ascii: "<") ? title(bytes) : Excerpt.of(String(decoding: bytes.prefix(1000), as: UTF8.self))
    }
    let problems = (body.errors ?? []).prefix(3).map { [$0.code, $0.message].compactMap { $0 }.joined(separator: ": ") }
    let rest = [body.details, body.error, body.errorDescription].compactMap { $0 }
    return Excerpt.of((problems + rest).joined(separator: "; "))
  }
}
