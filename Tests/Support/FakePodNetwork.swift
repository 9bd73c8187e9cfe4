package import Core
import Synchronization

/// A pod network in memory, with failures on demand; passes ``PodNetworkContract``.
package final class FakePodNetwork: PodNetwork {
  private struct State {
    var attached: [String: (netns: String, result: NetworkResult)] = [:]
    var pending: [String: PendingDetach] = [:]
    var requests: [NetworkAttachment] = []
    var lastHost = 0
    var statusFailure: Fault?
    var attachFailures: [Fault] = []
    var detachFailure: Fault?
  }
  private let state = Mutex(State())

  package init() {}

  /// ``status()`` throws this.
  package var statusFailure: Fault? {
    get { state.withLock { $0.statusFailure } }
    set { state.withLock { $0.statusFailure = newValue } }
  }

  /// The next attachments fail with these, one each.
  package func failNextAttachments(_ failures: [Fault]) { state.withLock { $0.attachFailures = failures } }

  /// While set, a detach ends up in ``pending()``; once it is nil again, ``retryPending()`` empties that.
  package var detachFailure: Fault? {
    get { state.withLock { $0.detachFailure } }
    set { state.withLock { $0.detachFailure = newValue } }
  }

  /// What the background does in the real one.
  package func retryPending() {
    state.withLock { state in if state.detachFailure == nil { state.pending = [:] } }
  }

  /// Every request that was made, failed ones included.
  package var requests: [NetworkAttachment] { state.withLock { $0.requests } }

  package func status() async throws { if let failure = statusFailure { throw failure } }

  package func attach(_ attachment: NetworkAttachment) async throws -> NetworkResult {
    let (result, failure) = state.withLock { state -> (NetworkResult?, Fault?) in
      state.requests.append(attachment)
      if !state.attachFailures.isEmpty { return (nil, state.attachFailures.removeFirst()) }
      if let known = state.attached[attachment.sandboxID], known.netns == attachment.netnsPath { return (known.result, nil) }
      state.lastHost += 1
      let result = NetworkResult(addresses: ["10.88.\(state.lastHost / 250).\(state.lastHost % 250 + 1)"])
      state.attached[attachment.sandboxID] = (attachment.netnsPath, result)
      return (result, nil)
    }
    if let failure { throw failure }
    return result!
  }

  package func detach(_ sandboxID: String, netnsPath: String?) async throws {
    state.withLock { state in
      guard state.attached.removeValue(forKey: sandboxID) != nil, let failure = state.detachFailure else { return }
      state.pending[sandboxID] = PendingDetach(sandboxID: sandboxID, attempts: 1, lastError: failure.message)
    }
  }

  package func attachments() throws -> [String] { state.withLock { $0.attached.keys.sorted() } }
  package func pending() -> [PendingDetach] { state.withLock { $0.pending.values.sorted { $0.sandboxID < $1.sandboxID } } }
}
