import CRIAPI
import Core
import Engine
import Spec
import SwiftProtobuf

extension RuntimeService {
  func status(_ request: Runtime_V1_StatusRequest) async -> Runtime_V1_StatusResponse {
    let runtime = condition("RuntimeReady", problem: await node.runtimeProblem(), reason: "RuntimeNotReady")
    let handlers = await runtimeHandlers()
    let network = condition("NetworkReady", problem: await node.networkProblem(), reason: "NetworkPluginNotReady")
    return .with {
      $0.status = .with { $0.conditions = [runtime, network] }
      $0.runtimeHandlers = handlers
      $0.features = .with {
        $0.supplementalGroupsPolicy = true
        $0.userNamespacesHostNetwork = node.facts.hasUserNamespaces
        $0.mountOptions = true
      }
      if request.verbose { $0.info = node.info() }
    }
  }

  private func runtimeHandlers() async -> [Runtime_V1_RuntimeHandler] {
    var handlers: [Runtime_V1_RuntimeHandler] = []
    for name in node.runtimeHandlers {
      let features = await node.features(of: name)
      handlers.append(
        .with {
          $0.name = name
          $0.features.recursiveReadOnlyMounts = features.recursiveReadOnly
          $0.features.userNamespaces = features.userNamespaces
        })
    }
    return handlers
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
