import Engine
import GRPC
import Synchronization

/// The list of everything of one kind as it was last sent, good until something in it changes: a kubelet asks for it every second.
final class WholeList<Record: LedgerRecord>: Sendable {
  private let last = Mutex<(view: LedgerView<Record>, message: EncodedMessage)?>(nil)

  func message(_ view: LedgerView<Record>, _ make: () throws -> EncodedMessage) rethrows -> EncodedMessage {
    if let last = last.withLock({ $0 }), last.view === view { return last.message }
    var message = try make()
    message.seal()
    let sealed = message
    last.withLock { $0 = (view, sealed) }
    return sealed
  }
}
