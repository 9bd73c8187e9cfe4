import CRIAPI
import Core
import Engine
import Linux
import SwiftProtobuf

extension RuntimeService {
  func podSandboxStatus(_ request: Runtime_V1_PodSandboxStatusRequest) throws -> Runtime_V1_PodSandboxStatusResponse {
    let record = try ledger.findSandbox(request.podSandboxID)
    return .with {
      $0.timestamp = SystemClock.realtimeNanoseconds()
      $0.status = record.criStatus
      $0.containersStatuses = statuses(ledger.containers(of: record.id), of: record)
      if request.verbose { $0.info = VerboseInfo(record, network: pods.services.network.results(of: record.id)).map }
    }
  }
}
