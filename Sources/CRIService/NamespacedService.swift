import Engine
package import GRPC
import Synchronization

/// A service that answers for the namespace which a call's metadata names, for the CRI's without it.
package struct NamespacedService: GRPCService {
  private static let key = "berth-namespace"

  private let standard: any GRPCService
  private let others: Others

  /// Those that were asked for.
  private final class Others: Sendable {
    private let made = Mutex<[String: any GRPCService]>([:])
    private let make: @Sendable (String) throws -> any GRPCService

    init(_ make: @escaping @Sendable (String) throws -> any GRPCService) { self.make = make }

    func service(_ namespace: String) throws -> any GRPCService {
      if let known = made.withLock({ $0[namespace] }) { return known }
      let service = try make(namespace)
      made.withLock { $0[namespace] = service }
      return service
    }
  }

  /// - Parameter make: the service for one namespace.
  package init(_ make: @escaping @Sendable (_ namespace: String) throws -> any GRPCService) throws {
    standard = try make(ImageNamespaces.standard)
    others = Others(make)
  }

  package var name: String { standard.name }

  package var methods: [GRPCMethod] {
    let others = others
    return standard.methods.map { method in
      method.redirected { context in
        guard let namespace = context.metadata[Self.key], namespace != ImageNamespaces.standard else { return nil }
        return try others.service(namespace)
      }
    }
  }
}
