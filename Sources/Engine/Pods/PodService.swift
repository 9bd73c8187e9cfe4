package import CRIAPI
package import Core
import Logging
import Spec
import Synchronization

/// The use cases of pods and containers, by ID. Finds the ``Pod`` and hands over; keeps no state but the set of pods.
package final class PodService: Sendable {
  package let services: PodServices
  private let pods = Mutex<[String: Pod]>([:])
  let runs = Flights<SandboxKey, SandboxRequest, String>()
  /// Held while what pods may not have in common is chosen for one.
  let intents = Mutex<Nothing>(Nothing())

  package init(_ services: PodServices) { self.services = services }

  package var ledger: Ledger { services.ledger }

  func add(_ pod: Pod) { pods.withLock { $0[pod.id] = pod } }
  func forget(_ id: String) { pods.withLock { _ = $0.removeValue(forKey: id) } }

  /// The pod with this full ID, if any.
  func pod(_ id: String) -> Pod? { pods.withLock { $0[id] } }

  func pod(of record: SandboxRecord) throws -> Pod {
    guard let pod = pod(record.id) else { throw Fault(.notFound, "pod sandbox \(record.id): not found") }
    return pod
  }

  /// Creates the container in its pod: see ``Pod/createContainer(_:)``.
  package func createContainer(sandbox: String, config: Runtime_V1_ContainerConfig) async throws -> String {
    try Validation.check(config)
    return try await pod(of: ledger.findSandbox(sandbox)).createContainer(ContainerRequest(config: config))
  }

  package func startContainer(_ id: String) async throws {
    let record = try ledger.findContainer(id)
    try await podOf(record).startContainer(record.id)
  }

  /// `timeout` in seconds. Stopping what is not there succeeds.
  package func stopContainer(_ id: String, timeout: Int64) async throws {
    guard let record = try existing({ try ledger.findContainer(id) }) else { return }
    try await podOf(record).stopContainer(record.id, timeout: timeout)
  }

  /// Removing what is not there succeeds.
  package func removeContainer(_ id: String) async throws {
    guard let record = try existing({ try ledger.findContainer(id) }) else { return }
    try await podOf(record).removeContainer(record.id)
  }

  package func stopSandbox(_ id: String) async throws {
    guard let record = try existing({ try ledger.findSandbox(id) }) else { return }
    try await pod(of: record).stop()
  }

  package func removeSandbox(_ id: String) async throws {
    guard let record = try existing({ try ledger.findSandbox(id) }), let pod = pod(record.id) else { return }
    try await pod.remove()
  }

  /// `timeout` in seconds, 0 for none.
  package func execSync(_ id: String, command: [String], timeout: Int64) async throws -> ExecResult {
    let record = try ledger.findContainer(id)
    return try await podOf(record).execSync(record.id, command: command, timeout: timeout)
  }

  package func reopenLog(_ id: String) async throws {
    let record = try ledger.findContainer(id)
    try await podOf(record).reopenLog(record.id)
  }

  func podOf(_ record: ContainerRecord) throws -> Pod { try pod(of: ledger.sandbox(record.sandboxID)) }

  /// `nil` instead of NOT_FOUND: stop and remove are idempotent.
  private func existing<Record>(_ find: () throws -> Record) throws -> Record? {
    do { return try find() } catch let fault as Fault where fault.code == .notFound { return nil }
  }
}
