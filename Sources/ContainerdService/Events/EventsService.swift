package import Engine
package import GRPC

/// The surface of `containerd.services.events.v1.Events`. One file per RPC beside this one.
package struct EventsService: GRPCService {
  let exchange: EventExchange

  package init(_ exchange: EventExchange) { self.exchange = exchange }

  package var name: String { "containerd.services.events.v1.Events" }

  package var methods: [GRPCMethod] {
    [
      .unary("Publish") { request, context in try publish(request, namespace: CallNamespace.required(context.metadata)) },
      .unary("Forward") { request, _ in try forward(request) },
      .serverStreaming("Subscribe") { request, _, writer in try await subscribe(request, writer) },
    ]
  }
}
