import CRIAPI
import Engine

/// All conditions of a filter must hold; absent ones hold for everything.
struct SandboxFilter {
  let filter: Runtime_V1_PodSandboxFilter

  init(_ filter: Runtime_V1_PodSandboxFilter) { self.filter = filter }

  func matches(_ record: SandboxRecord) -> Bool {
    record.id.hasPrefix(filter.id) && (!filter.hasState || filter.state.state == record.criState)
      && Labels.match(filter.labelSelector, record.config.content.labels)
  }
}

struct ContainerFilter {
  let filter: Runtime_V1_ContainerFilter

  init(_ filter: Runtime_V1_ContainerFilter) { self.filter = filter }

  func matches(_ record: ContainerRecord) -> Bool {
    record.id.hasPrefix(filter.id) && record.sandboxID.hasPrefix(filter.podSandboxID)
      && (!filter.hasState || filter.state.state == record.criState) && Labels.match(filter.labelSelector, record.config.content.labels)
  }
}

enum Labels {
  static func match(_ selector: [String: String], _ labels: [String: String]) -> Bool {
    selector.allSatisfy { labels[$0.key] == $0.value }
  }
}
