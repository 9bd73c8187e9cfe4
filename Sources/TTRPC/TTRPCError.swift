/// Why a call has no answer: a gRPC status code, and whose it is.
package struct TTRPCError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Where the error arose.
  package enum Origin: Sendable, Hashable {
    /// The server answered with this status.
    case remote
    /// The connection ended, or could not be made; whether the server acted is unknown.
    case connection
    /// The caller's own doing: cancelled, deadline, message too large, not decodable.
    case local
  }

  package let origin: Origin
  /// As of gRPC.
  package let code: Int32
  package let message: String

  package init(_ origin: Origin, code: Int32, _ message: String) {
    self.origin = origin
    self.code = code
    self.message = message
  }

  package var description: String { message }
}

extension TTRPCError {
  static let cancelled = TTRPCError(.local, code: 1, "cancelled")

  static func deadline(_ method: String) -> TTRPCError { TTRPCError(.local, code: 4, "\(method): no answer in time") }

  static func tooLarge(_ count: Int) -> TTRPCError {
    TTRPCError(.local, code: 8, "message of \(count) bytes is larger than a ttrpc frame may be (\(Frame.largestPayload))")
  }

  static func connection(_ cause: String) -> TTRPCError { TTRPCError(.connection, code: 14, cause) }

  static func undecodable(_ method: String, _ cause: any Error) -> TTRPCError {
    TTRPCError(.local, code: 13, "\(method): the answer cannot be decoded: \(cause)")
  }
}
