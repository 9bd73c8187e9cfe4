/// How a call ended, other than well: a code and a text for a person.
package struct GRPCStatus: Error, Hashable, Sendable {
  /// Status codes of gRPC (`doc/statuscodes.md` of grpc).
  package enum Code: UInt32, Sendable, CaseIterable {
    case ok = 0
    case cancelled = 1
    case unknown = 2
    case invalidArgument = 3
    case deadlineExceeded = 4
    case notFound = 5
    case alreadyExists = 6
    case permissionDenied = 7
    case resourceExhausted = 8
    case failedPrecondition = 9
    case aborted = 10
    case outOfRange = 11
    case unimplemented = 12
    case `internal` = 13
    case unavailable = 14
    case dataLoss = 15
    case unauthenticated = 16
  }

  package let code: Code
  package let message: String
  /// A `google.rpc.Status`, encoded, where a server sent one.
  package let details: [UInt8]

  package init(_ code: Code, _ message: String, details: [UInt8] = []) {
    self.code = code
    self.message = message
    self.details = details
  }

  /// Any error as a status: convertible errors convert themselves, a cancelled task is CANCELLED, the rest is INTERNAL with its text.
  package init(_ error: any Error) {
    switch error {
    case let status as GRPCStatus: self = status
    case let convertible as any GRPCStatusConvertible: self = convertible.grpcStatus
    case is CancellationError: self.init(.cancelled, "cancelled")
    default: self.init(.internal, String(describing: error))
    }
  }
}

/// An error that knows which status it amounts to.
package protocol GRPCStatusConvertible: Error {
  var grpcStatus: GRPCStatus { get }
}

extension GRPCStatus: CustomStringConvertible {
  package var description: String { "\(code): \(message)" }
}

extension GRPCStatus.Code: CustomStringConvertible {
  /// The name gRPC gives it, `NOT_FOUND`.
  package var description: String {
    switch self {
    case .ok: "OK"
    case .cancelled: "CANCELLED"
    case .unknown: "UNKNOWN"
    case .invalidArgument: "INVALID_ARGUMENT"
    case .deadlineExceeded: "DEADLINE_EXCEEDED"
    case .notFound: "NOT_FOUND"
    case .alreadyExists: "ALREADY_EXISTS"
    case .permissionDenied: "PERMISSION_DENIED"
    case .resourceExhausted: "RESOURCE_EXHAUSTED"
    case .failedPrecondition: "FAILED_PRECONDITION"
    case .aborted: "ABORTED"
    case .outOfRange: "OUT_OF_RANGE"
    case .unimplemented: "UNIMPLEMENTED"
    case .internal: "INTERNAL"
    case .unavailable: "UNAVAILABLE"
    case .dataLoss: "DATA_LOSS"
    case .unauthenticated: "UNAUTHENTICATED"
    }
  }
}
