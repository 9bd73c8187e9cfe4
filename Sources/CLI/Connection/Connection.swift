import SwiftProtobuf

/// A method of a gRPC service, `/runtime.v1.RuntimeService/Version`.
struct Method: Hashable, Sendable {
  let service: String
  let name: String

  var path: String { "/\(service)/\(name)" }

  static func runtime(_ name: String) -> Method { Method(service: "runtime.v1.RuntimeService", name: name) }
  static func image(_ name: String) -> Method { Method(service: "runtime.v1.ImageService", name: name) }
  static func berth(_ name: String) -> Method { Method(service: "berth.v1.Berth", name: name) }
}

/// The way to berthd: real over its socket, or played by a test.
///
/// Calls throw ``Fault`` with the server's code and message; UNAVAILABLE when berthd cannot be reached.
protocol Connection: Sendable {
  /// One request, one answer. `timeout` nil: as long as it takes.
  func call<Answer: Message>(_ method: Method, _ request: some Message, timeout: Duration?) async throws -> Answer

  /// One request, many answers: each is handed to `body` in order, until the server ends the stream.
  func stream<Answer: Message>(_ method: Method, _ request: some Message, _ body: (Answer) async throws -> Void) async throws
}
