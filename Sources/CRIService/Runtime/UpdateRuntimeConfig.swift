import CRIAPI
import Engine
import Linux

extension RuntimeService {
  /// A request without a range says nothing, as kubelets send it on nodes without one.
  func updateRuntimeConfig(_ request: Runtime_V1_UpdateRuntimeConfigRequest) async throws -> Runtime_V1_UpdateRuntimeConfigResponse {
    let range = request.runtimeConfig.networkConfig.podCidr
    guard !range.isEmpty else { return .init() }
    let addresses = addresses
    try await BlockingWork.run { _ = try addresses.set(range) }
    return .init()
  }
}
