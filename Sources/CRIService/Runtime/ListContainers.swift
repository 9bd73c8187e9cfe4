import CRIAPI
import Engine
import SwiftProtobuf

extension RuntimeService {
  func listContainers(_ request: Runtime_V1_ListContainersRequest) -> Runtime_V1_ListContainersResponse {
    let filter = ContainerFilter(request.filter)
    let records = ledger.containers().filter { filter.matches($0) }
    return .with { $0.containers = records.sorted { $0.createdAt > $1.createdAt }.map(\.criListItem) }
  }
}
