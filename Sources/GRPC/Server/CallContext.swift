import Synchronization

/// What a handler knows of its call.
package struct CallContext: Sendable {
  /// `/service/method`.
  package let path: String
  package let service: Substring
  package let method: Substring
  package let metadata: GRPCMetadata
  /// When the client stops waiting, if it said so.
  package let deadline: ContinuousClock.Instant?
  package let cancellation: CallCancellation
  package let responses = SentResponses()

  /// A context made up by a caller inside this process, never cancelled.
  package init(path: String, metadata: GRPCMetadata = GRPCMetadata(), deadline: ContinuousClock.Instant? = nil) {
    self.init(path: path, metadata: metadata, deadline: deadline, cancellation: CallCancellation())
  }

  init(path: String, metadata: GRPCMetadata, deadline: ContinuousClock.Instant?, cancellation: CallCancellation) {
    self.path = path
    let parts = path.split(separator: "/", maxSplits: 1)
    (service, method) = (parts.first ?? "", parts.count > 1 ? parts[1] : "")
    self.metadata = metadata
    self.deadline = deadline
    self.cancellation = cancellation
  }
}

/// Why nobody waits for a call any more. Set before the handler's task is cancelled.
package final class CallCancellation: Sendable {
  package enum Reason: Sendable, Hashable {
    /// Its deadline passed; the client got DEADLINE_EXCEEDED.
    case deadline
    /// The client reset the stream.
    case reset
    case disconnected
    /// The server goes down; the client got UNAVAILABLE.
    case shutdown
  }

  private let state = Mutex<Reason?>(nil)

  init() {}

  /// `nil` while somebody waits.
  package var reason: Reason? { state.withLock { $0 } }

  func cancel(_ reason: Reason) { state.withLock { $0 = $0 ?? reason } }
}

/// The messages that answer a call, for who counts them while a stream lasts.
package final class SentResponses: Sendable {
  private let listener = Mutex<(@Sendable () -> Void)?>(nil)

  /// `body` is called for each that is sent from now on.
  package func onEach(_ body: @escaping @Sendable () -> Void) { listener.withLock { $0 = body } }

  func sent() { listener.withLock { $0 }?() }
}
