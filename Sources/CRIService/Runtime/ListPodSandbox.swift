import CRIAPI
import Engine
import SwiftProtobuf

extension RuntimeService {
  func listPodSandbox(_ request: Runtime_V1_ListPodSandboxRequest) -> Runtime_V1_ListPodSandboxResponse {
    let filter = SandboxFilter(request.filter)
    let records = ledger.sandboxes().filter { $0.state != .creating && filter.matches($0) }
    return .with { $0.items = records.sorted { $0.createdAt > $1.createdAt }.map(\.criListItem) }
  }
}
