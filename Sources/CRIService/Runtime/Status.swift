import CRIAPI
import Core
import Engine
import SwiftProtobuf

extension RuntimeService {
  func status(_ request: Runtime_V1_StatusRequest) async -> Runtime_V1_StatusResponse {
    let runtime = condition("RuntimeReady", problem: await node.runtimeProblem(), reason: "RuntimeNotReady")
    let network = condition("NetworkReady", problem: await node.networkProblem(), reason: "NetworkPluginNotReady")
    return .with {
      $0.status = .with { $0.conditions = [runtime, network] }
      $0.runtimeHandlers = node.runtimeHandlers.map { name in .with { $0.name = name } }
      $0.features = .with { $0.supplementalGroupsPolicy = true }
      if request.verbose { $0.info = node.info() }
    }
  }

  private func condition(_ type: String, problem: Fault?, reason: String) -> Runtime_V1_RuntimeCondition {
    .with {
      $0.type = type
      $0.status = problem == nil
      guard let problem else { return }
      $0.reason = reason
      $0.message = problem.message
    }
  }
}
