import NIOCore

/// One call on a server connection, from its headers to its end. Confined to the event loop.
final class ServerCall {
  enum Phase {
    /// Until the client ended its side; becomes `running`.
    case receiving(RequestAssembly)
    /// Until the handler ended or nobody waits for it any more.
    case running(Task<Void, Never>)
  }

  let method: GRPCMethod
  let context: CallContext
  let start: NIODeadline
  var phase: Phase
  var headersSent = false
  var deadline: Scheduled<Void>?
  /// A streaming handler that waits until the client took what it wrote.
  var writer: EventLoopPromise<Void>?

  init(_ method: GRPCMethod, _ context: CallContext, _ assembly: RequestAssembly) {
    self.method = method
    self.context = context
    start = .now()
    phase = .receiving(assembly)
  }

  /// The call is over, for the handler too if it still runs and `reason` is given.
  func end(_ reason: CallCancellation.Reason?) {
    deadline?.cancel()
    if let reason {
      context.cancellation.cancel(reason)
      if case .running(let task) = phase { task.cancel() }
    }
    writer?.fail(GRPCStatus(.cancelled, "the call is over"))
    writer = nil
  }
}
