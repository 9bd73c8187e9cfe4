import Core
package import GRPC

/// Turns every error of the core into the gRPC status that it amounts to.
package struct FaultInterceptor: GRPCInterceptor {
  package init() {}

  package func intercept<R>(_ call: CallContext, _ next: () async throws -> R) async throws -> R {
    do { return try await next() } catch let status as GRPCStatus { throw status } catch {
      let fault = Fault(error)
      throw GRPCStatus(GRPCStatus.Code(rawValue: fault.code.rawValue) ?? .unknown, fault.message)
    }
  }
}
