import Logging

/// What all connections of a server share.
final class ServerCore: Sendable {
  let configuration: GRPCServerConfiguration
  let logger: Logger
  let connections = ConnectionRegistry()
  private let routes: [String: GRPCMethod]
  private let services: Set<String>
  private let interceptors: [any GRPCInterceptor]

  init(
    _ configuration: GRPCServerConfiguration, services: [any GRPCService], interceptors: [any GRPCInterceptor], logger: Logger
  ) {
    self.configuration = configuration
    self.interceptors = interceptors
    self.logger = logger
    self.services = Set(services.map(\.name))
    routes = Dictionary(uniqueKeysWithValues: services.flatMap { service in service.methods.map { ("/\(service.name)/\($0.name)", $0) } })
  }

  /// UNIMPLEMENTED, with the part of the path that is unknown.
  func route(_ path: String) throws(RequestHead.Refusal) -> GRPCMethod {
    if let method = routes[path] { return method }
    let service = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().first.map(String.init) ?? ""
    let what = services.contains(service) ? "method" : "service"
    throw .grpc(GRPCStatus(.unimplemented, "unknown \(what): \(path)"))
  }

  /// Runs the handler inside all interceptors.
  func run<R>(_ context: CallContext, _ handler: () async throws -> R) async throws -> R {
    try await run(interceptors[...], context, handler)
  }

  private func run<R>(
    _ interceptors: ArraySlice<any GRPCInterceptor>, _ context: CallContext, _ handler: () async throws -> R
  ) async throws -> R {
    guard let first = interceptors.first else { return try await handler() }
    return try await first.intercept(context) { try await run(interceptors.dropFirst(), context, handler) }
  }
}
