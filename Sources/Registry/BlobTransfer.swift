import AsyncHTTPClient
import Core
import Logging
import NIOCore
import NIOHTTP1
import OCI

/// Fetches one blob, over as many connections and hosts as it takes.
struct BlobTransfer: Sendable {
  /// Stage for errors.
  let name: String
  let descriptor: Descriptor
  let endpoints: [Endpoint]
  let exchange: Exchange
  let slots: Slots
  let policy: TransferPolicy
  let logger: Logger

  /// Never throws: how it ended is the channel's end.
  func run(into channel: BlobChannel) async {
    do throws(Fault) {
      try await transfer(into: channel)
      channel.finish(.success(()))
    } catch {
      channel.finish(.failure(error.within(name)))
    }
  }

  private func transfer(into channel: BlobChannel) async throws(Fault) {
    var walk = HostWalk(hosts: endpoints.count, rounds: policy.attempts, policy: policy)
    var offset: Int64 = 0
    var tags: [String: String] = [:]
    while offset < descriptor.size {
      switch walk.next() {
      case .stop: throw walk.fault
      case .wait(let pause): do { try await Task.sleep(for: pause) } catch { throw Fault(error) }
      case .ask(let index):
        let origin = endpoints[index].origin
        let connection = BlobConnection(
          endpoint: endpoints[index], descriptor: descriptor, start: offset, validator: tags[origin], exchange: exchange, policy: policy,
          channel: channel)
        let failure = await run(connection)
        tags[origin] = connection.meter.tag ?? tags[origin]
        count(connection.meter, failure)
        if let failure { try note(failure, endpoints[index], at: connection.meter.delivered + offset) }
        advance(&offset, connection.meter.delivered, failure, &walk)
      }
    }
  }

  /// When it is this host's turn.
  private func run(_ connection: BlobConnection) async -> AttemptFailure? {
    let channel = connection.channel
    channel.isQueued = true
    defer { channel.isQueued = false }
    do {
      return try await slots.with(connection.endpoint.origin) {
        channel.isQueued = false
        return await connection.run()
      }
    } catch {
      return AttemptFailure(error, asking: connection.endpoint.address(""))
    }
  }

  private func count(_ meter: TransferMeter, _ failure: AttemptFailure?) {
    let metrics = exchange.metrics
    let (total, delivered) = (meter.total, meter.delivered)
    if total > 0 { metrics.add(.pulledBytes, Double(total)) }
    if total > delivered { metrics.add(.repeatedBytes, Double(total - delivered)) }
    if let failure, failure.isTransient { metrics.add(.registryRetries, labels: [failure.reason]) }
  }

  private func note(_ failure: AttemptFailure, _ endpoint: Endpoint, at offset: Int64) throws(Fault) {
    if failure.fault.cause is BlobChanged { throw failure.fault }
    if failure.fault.code == .cancelled || Task.isCancelled { throw Fault(.cancelled, "cancelled") }
    logger.debug(
      "blob transfer interrupted",
      metadata: [
        "blob": "\(descriptor.digest)", "host": "\(endpoint.origin)", "at": "\(offset)", "of": "\(descriptor.size)",
        "error": "\(failure.fault)",
      ])
  }

  private func advance(_ offset: inout Int64, _ delivered: Int64, _ failure: AttemptFailure?, _ walk: inout HostWalk) {
    offset += delivered
    let ended =
      failure ?? AttemptFailure(Fault(.unavailable, "the response ended at \(offset) of \(descriptor.size) bytes"), isTransient: true)
    if ended.isTransient, delivered >= policy.minimumProgress {
      walk.interrupted(rounds: policy.resumes)
    } else {
      walk.failed(ended)
    }
  }
}
