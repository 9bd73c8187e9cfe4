/// The one error of Berth above the system layer: a gRPC code, and a message that names stage, object and cause
/// (`pod default/web: network: plugin "bridge" ADD: no such device`).
///
/// Built from the inside out: the place that knows the cause writes it, each layer above adds its own stage with ``within(_:)``.
package struct Fault: Error, Sendable, CustomStringConvertible {
  /// gRPC status codes (the ones a runtime answers with).
  package enum Code: UInt32, Sendable {
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
  package let cause: (any Error)?

  package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }

  package var description: String { message }

  /// The same fault seen from one stage further out: `stage: message`. What the message begins with already is not said twice.
  package func within(_ stage: String) -> Fault {
    message.hasPrefix(stage + ": ") ? self : Fault(code, "\(stage): \(message)", cause: cause ?? self)
  }

  /// Any error as a fault: a fault stays itself, a convertible error converts itself, the rest is INTERNAL (CANCELLED for a cancelled task).
  package init(_ error: any Error) {
    switch error {
    case let fault as Fault: self = fault
    case let convertible as any FaultConvertible: self = convertible.fault
    case is CancellationError: self = Fault(.cancelled, "cancelled", cause: error)
    default: self = Fault(.internal, String(describing: error), cause: error)
    }
  }
}

/// An error of a lower layer that knows which fault it amounts to.
package protocol FaultConvertible: Error {
  var fault: Fault { get }
}

/// Runs `body`; whatever it throws comes out as a ``Fault`` that begins with `stage`.
package func stage<T>(_ stage: @autoclosure () -> String, _ body: () throws -> T) throws(Fault) -> T {
  do { return try body() } catch { throw Fault(error).within(stage()) }
}

/// The asynchronous form of ``stage(_:_:)``; stays on the caller's actor.
package func stage<T>(
  _ stage: @autoclosure () -> String, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> T
) async throws(Fault) -> T {
  do { return try await body() } catch { throw Fault(error).within(stage()) }
}
