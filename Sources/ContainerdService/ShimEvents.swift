import ContainerdAPI
import Core
package import Engine
import SwiftProtobuf
package import TTRPC

/// Where containerd's shims send what happens to their containers: `containerd.services.events.ttrpc.v1.Events`.
///
/// Berth tells of its own containers itself, in order and after their records: what a shim says of these is not told a second time.
package struct ShimEvents: Sendable {
  private let pods: PodService
  private let exchange: EventExchange

  package init(_ pods: PodService) {
    self.pods = pods
    exchange = pods.ledger.exchange
  }

  package var methods: [TTRPCMethod] {
    [
      TTRPCMethod("containerd.services.events.ttrpc.v1.Events", "Forward") {
        (request: Containerd_Services_Events_Ttrpc_V1_ForwardRequest) in
        do { try forward(request.envelope) } catch {
          let fault = Fault(error)
          throw TTRPCError(.remote, code: Int32(fault.code.rawValue), fault.message)
        }
        return Google_Protobuf_Empty()
      }
    ]
  }

  /// Topics of containers' processes that Berth tells itself.
  private static let own: Set<String> = [
    "/tasks/create", "/tasks/start", "/tasks/exit", "/tasks/delete", "/tasks/oom", "/tasks/exec-added", "/tasks/exec-started",
  ]

  func forward(_ message: Containerd_Types_Envelope) throws {
    let envelope = try EventEnvelope(forwarded: message)
    guard envelope.namespace == ImageNamespaces.standard, Self.own.contains(envelope.topic) else { return exchange.publish(envelope) }
    let id = try Self.container(envelope.event)
    // A sandbox of such a shim has a process that only the shim knows of.
    if (try? pods.ledger.sandbox(id)) != nil { return exchange.publish(envelope) }
    if envelope.topic == "/tasks/oom" { Task { [pods] in await pods.noteOutOfMemory(id) } }
  }

  /// The first field of all messages of tasks. INVALID_ARGUMENT where they are none.
  private static func container(_ event: TypedEvent) throws(Fault) -> String {
    guard event.url.hasPrefix("containerd.events.Task"), let message = try? Containerd_Events_TaskOOM(serializedBytes: event.value) else {
      throw Fault(.invalidArgument, "event: \"\(event.url.prefix(100))\" is no message of a task, or is damaged")
    }
    return message.containerID
  }
}
