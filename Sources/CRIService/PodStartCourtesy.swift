package import GRPC
import Linux

/// Pulls make way for the calls that start a pod.
package struct PodStartCourtesy: GRPCInterceptor {
  private static let methods: Set<Substring> = ["RunPodSandbox", "CreateContainer", "StartContainer"]

  package init() {}

  package func intercept<R>(_ call: CallContext, _ next: () async throws -> R) async throws -> R {
    Self.methods.contains(call.method) ? try await Courtesy.during(next) : try await next()
  }
}
