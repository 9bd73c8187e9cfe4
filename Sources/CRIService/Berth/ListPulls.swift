import BerthAPI
import Engine
import SwiftProtobuf

extension BerthService {
  func listPulls(_ request: Berth_V1_ListPullsRequest) -> Berth_V1_ListPullsResponse {
    .with {
      $0.pulls = images.running.list().map { pull in
        .with {
          $0.reference = pull.reference
          $0.startedAt = pull.progress.startedAt
          $0.summary = pull.progress.report
          $0.layers = LayerReports.all(pull.progress)
          $0.kind = pull.kind.rawValue
        }
      }
    }
  }
}
