import CRIAPI

/// What a person means by a name or by the beginning of an ID.
enum Subject: Equatable {
  case pod(Runtime_V1_PodSandbox)
  case container(Runtime_V1_Container)

  var id: String {
    switch self {
    case .pod(let pod): pod.id
    case .container(let container): container.id
    }
  }

  var name: String {
    switch self {
    case .pod(let pod): pod.metadata.name
    case .container(let container): container.metadata.name
    }
  }

  var kind: String {
    switch self {
    case .pod: "pod"
    case .container: "container"
    }
  }

  var createdAt: Int64 {
    switch self {
    case .pod(let pod): pod.createdAt
    case .container(let container): container.createdAt
    }
  }
}

/// Finds what a person named among what there is. An ID beats a name, a name beats the beginning of an ID.
struct Lookup {
  let subjects: [Subject]

  /// Throws ``Failure`` when nothing fits, or more than one thing equally well.
  func find(_ text: String, what: String) throws -> Subject {
    if let exact = subjects.first(where: { $0.id == text }) { return exact }
    let named = subjects.filter { $0.name == text }
    if !named.isEmpty { return try single(newest(named), text) }
    let begun = text.isEmpty ? [] : subjects.filter { $0.id.hasPrefix(text) }
    guard !begun.isEmpty else { throw Failure("no \(what) '\(text)': neither a name nor the beginning of an ID") }
    return try single(begun, text)
  }

  /// Attempts of one container share its name; the last one is meant. Containers of different pods stay ambiguous.
  private func newest(_ candidates: [Subject]) -> [Subject] {
    let pods = Set(candidates.map(owner))
    guard pods.count == 1 else { return candidates }
    return candidates.max { $0.createdAt < $1.createdAt }.map { [$0] } ?? []
  }

  private func owner(_ subject: Subject) -> String {
    switch subject {
    case .pod(let pod): "pod/\(pod.metadata.namespace)/\(pod.metadata.uid)"
    case .container(let container): "container/\(container.podSandboxID)"
    }
  }

  private func single(_ candidates: [Subject], _ text: String) throws -> Subject {
    guard candidates.count > 1 else { return candidates[0] }
    let names = candidates.prefix(5).map { "\($0.kind) \(Short.id($0.id)) (\($0.name))" }
    let more = candidates.count > 5 ? " and \(candidates.count - 5) more" : ""
    throw Failure("'\(text)' fits \(names.joined(separator: ", "))\(more): give more of the ID")
  }
}

extension Runtime {
  func findContainer(_ text: String) async throws -> Runtime_V1_Container {
    let lookup = Lookup(subjects: try await containers().containers.map(Subject.container))
    guard case .container(let container) = try lookup.find(text, what: "container") else { throw Failure("no container '\(text)'") }
    return container
  }

  /// A pod or a container. With the same name a container's pod is meant: stopping it stops both.
  func findAny(_ text: String) async throws -> Subject {
    let pods = try await pods().items.map(Subject.pod)
    let containers = try await containers().containers.map(Subject.container)
    if let pod = try? Lookup(subjects: pods).find(text, what: "pod"), pod.name == text { return pod }
    return try Lookup(subjects: pods + containers).find(text, what: "pod or container")
  }
}
