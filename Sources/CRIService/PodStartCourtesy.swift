package import GRPC
import Linux

/// Pulls make way for the calls that start a pod.
package struct PodStartCourtesy: GRPCInterceptor {
  private static let methods: Set<String> = ["RunPodSandbox", "CreateContainer", "StartContainer"]

  package init() {}

  package func intercept<R>(_ call: CallContext, _ next: () async throws -> R) async throws -> R {
    guard let method = call.path.split(separator: "/").last, Self.methods.contains(String(method)) else { return try await next() }
    return try await Courtesy.during(next)
  }
}
