import CRIAPI
import Core
import Engine
import SwiftProtobuf

extension RuntimeService {
  /// The kubelet tells the node's pod CIDR (one a family, separated by commas).
  func updateRuntimeConfig(_ request: Runtime_V1_UpdateRuntimeConfigRequest) async throws -> Runtime_V1_UpdateRuntimeConfigResponse {
    let text = request.runtimeConfig.networkConfig.podCidr
    guard !text.isEmpty else { return .init() }
    let ranges = text.split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
    for range in ranges where !AddressRange.isValid(range) {
      throw Fault(.invalidArgument, "runtime_config.network_config.pod_cidr: \"\(range.prefix(60))\" is no CIDR")
    }
    try await node.configure(podCIDRs: ranges)
    return .init()
  }
}
