import CRIAPI
import Core
import Engine

/// All conditions of a filter must hold; absent ones hold for everything. A state that does not exist is INVALID_ARGUMENT.
struct SandboxFilter {
  let id: String
  let state: Runtime_V1_PodSandboxState?
  let labels: [String: String]

  init(_ filter: Runtime_V1_PodSandboxFilter) throws(Fault) {
    id = filter.id
    state = filter.hasState ? filter.state.state : nil
    labels = filter.labelSelector
    if case .UNRECOGNIZED(let value) = state { throw Fault(.invalidArgument, "filter.state.state: there is no state \(value)") }
  }

  init(_ filter: Runtime_V1_PodSandboxStatsFilter) {
    id = filter.id
    state = nil
    labels = filter.labelSelector
  }

  func matches(_ record: SandboxRecord) -> Bool {
    (id.isEmpty || record.id.hasPrefix(id)) && (state == nil || state == record.criState)
      && Labels.match(labels, record.config.content.labels)
  }
}

struct ContainerFilter {
  let id: String
  let sandboxID: String
  let state: Runtime_V1_ContainerState?
  let labels: [String: String]

  init(_ filter: Runtime_V1_ContainerFilter) throws(Fault) {
    id = filter.id
    sandboxID = filter.podSandboxID
    state = filter.hasState ? filter.state.state : nil
    labels = filter.labelSelector
    if case .UNRECOGNIZED(let value) = state { throw Fault(.invalidArgument, "filter.state.state: there is no state \(value)") }
  }

  init(_ filter: Runtime_V1_ContainerStatsFilter) {
    id = filter.id
    sandboxID = filter.podSandboxID
    state = nil
    labels = filter.labelSelector
  }

  func matches(_ record: ContainerRecord) -> Bool {
    (id.isEmpty || record.id.hasPrefix(id)) && (sandboxID.isEmpty || record.sandboxID.hasPrefix(sandboxID))
      && (state == nil || state == record.criState) && Labels.match(labels, record.config.content.labels)
  }
}

enum Labels {
  static func match(_ selector: [String: String], _ labels: [String: String]) -> Bool {
    selector.allSatisfy { labels[$0.key] == $0.value }
  }
}
