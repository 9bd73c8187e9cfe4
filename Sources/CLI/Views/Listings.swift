import CRIAPI

/// What the list commands show.
enum Listings {
  static func pods(_ pods: [Runtime_V1_PodSandbox], now: Int64) -> Table {
    let newestFirst = pods.sorted { $0.createdAt > $1.createdAt }
    return Table(
      "POD ID", "AGE", "STATE", "NAME", "NAMESPACE", "ATTEMPT", "RUNTIME",
      rows: newestFirst.map { pod in
        [
          Short.id(pod.id), Short.age(of: pod.createdAt, now: now), pod.state == .sandboxReady ? "Ready" : "NotReady",
          pod.metadata.name, pod.metadata.namespace, "\(pod.metadata.attempt)",
          pod.runtimeHandler.isEmpty ? "(default)" : pod.runtimeHandler,
        ]
      })
  }

  /// `pods`: names by pod ID.
  static func containers(_ containers: [Runtime_V1_Container], pods: [String: String], now: Int64) -> Table {
    let newestFirst = containers.sorted { $0.createdAt > $1.createdAt }
    return Table(
      "CONTAINER", "IMAGE", "AGE", "STATE", "NAME", "ATTEMPT", "POD ID", "POD",
      rows: newestFirst.map { container in
        [
          Short.id(container.id), imageName(container.image), Short.age(of: container.createdAt, now: now), state(container.state),
          container.metadata.name, "\(container.metadata.attempt)", Short.id(container.podSandboxID),
          pods[container.podSandboxID] ?? "unknown",
        ]
      })
  }

  static func images(_ images: [Runtime_V1_Image], digests: Bool = false) -> Table {
    var table = digests ? Table("IMAGE", "TAG", "DIGEST", "IMAGE ID", "SIZE") : Table("IMAGE", "TAG", "IMAGE ID", "SIZE")
    for image in images {
      for name in names(of: image) {
        let digest = digests ? [name.digest] : []
        table.rows.append([name.repository, name.tag] + digest + [Short.id(image.id), Short.size(image.size)])
      }
    }
    table.rows.sort { ($0[0], $0[1]) < ($1[0], $1[1]) }
    return table
  }

  static func state(_ state: Runtime_V1_ContainerState) -> String {
    switch state {
    case .containerCreated: "Created"
    case .containerRunning: "Running"
    case .containerExited: "Exited"
    default: "Unknown"
    }
  }

  private static func imageName(_ image: Runtime_V1_ImageSpec) -> String {
    let name = image.userSpecifiedImage.isEmpty ? image.image : image.userSpecifiedImage
    return name.hasPrefix("sha256:") ? Short.id(name) : name
  }

  private struct ImageName {
    var repository: String
    var tag: String
    var digest: String
  }

  /// One for each tag; the repository of a digest where there is no tag; nothing known otherwise.
  private static func names(of image: Runtime_V1_Image) -> [ImageName] {
    let digests = Dictionary(image.repoDigests.map(split(digest:)), uniquingKeysWith: { first, _ in first })
    let tagged = image.repoTags.map { reference in
      let (repository, tag) = split(tag: reference)
      return ImageName(repository: repository, tag: tag, digest: Short.id(digests[repository] ?? "<none>"))
    }
    let untagged = digests.filter { repository, _ in !tagged.contains { $0.repository == repository } }.map { repository, digest in
      ImageName(repository: repository, tag: "<none>", digest: Short.id(digest))
    }
    let all = tagged + untagged
    return all.isEmpty ? [ImageName(repository: "<none>", tag: "<none>", digest: "<none>")] : all
  }

  private static func split(tag reference: String) -> (String, String) {
    guard let colon = reference.lastIndex(of: ":"), !reference[colon...].contains("/") else { return (reference, "<none>") }
    return (String(reference[..<colon]), String(reference[reference.index(after: colon)...]))
  }

  private static func split(digest reference: String) -> (String, String) {
    guard let at = reference.lastIndex(of: "@") else { return (reference, "<none>") }
    return (String(reference[..<at]), String(reference[reference.index(after: at)...]))
  }
}
