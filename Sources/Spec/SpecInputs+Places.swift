import CRIAPI
import Core
import OCI

/// What is to be somewhere in a container's root filesystem.
private struct AskedPlace {
  let path: String
  let field: String
  /// Nil where that is not known.
  var isDirectory: Bool?
  /// What runtimes do not make where there is something, and do not say so.
  var isDevice = false
  /// What it is, for messages.
  var source = ""

  /// Why it cannot be there.
  func trouble(_ place: ImagePlace) -> String? {
    switch (place.kind, isDirectory) {
    case (.obstructed, _): "\(place.path.prefix(200)) is no directory in the image"
    case (.file, _) where isDevice: "\(place.path.prefix(200)) is a file in the image"
    case (.directory, _) where isDevice: "\(place.path.prefix(200)) is a directory in the image"
    case (.file, true), (.other, true): "\(place.path.prefix(200)) is no directory in the image\(source)"
    case (.directory, false): "\(place.path.prefix(200)) is a directory in the image\(source)"
    default: nil
    }
  }
}

extension SpecInputs {
  /// What an image has in the way of mounts, devices and the working directory: the runtime would find out when the container starts, and knows of no
  /// fields. Below mounts it does not matter what the image has.
  func checkPlaces(_ mounts: [RuntimeSpec.Mount]) throws(Fault) {
    let asked = askedPlaces
    if asked.isEmpty { return }
    for (asked, place) in zip(asked, try places(asked.map(\.path))) {
      guard let trouble = asked.trouble(place), try !isCovered(asked, place, mounts) else { continue }
      throw Fault(.invalidArgument, "\(asked.field): \(trouble)")
    }
  }

  private var askedPlaces: [AskedPlace] {
    var asked = container.mounts.enumerated().map { index, mount in
      let isDirectory = mount.isImage ? nil : !prepared.hostFiles.contains(mount.hostPath)
      let source = ", and host_path \(mount.hostPath.prefix(200)) is \(isDirectory == true ? "one" : "none")"
      let path = ContainerPath.clean(mount.containerPath)
      return AskedPlace(
        path: path, field: "mounts[\(index)] (\(path.prefix(200))).container_path", isDirectory: isDirectory, source: source)
    }
    for (index, device) in container.devices.enumerated() where !device.containerPath.isEmpty {
      let path = ContainerPath.clean(device.containerPath)
      asked.append(AskedPlace(path: path, field: "devices[\(index)].container_path", isDevice: true))
    }
    if !container.workingDir.isEmpty { asked.append(AskedPlace(path: container.workingDir, field: "working_dir", isDirectory: true)) }
    return asked
  }

  private func places(_ paths: [String]) throws(Fault) -> [ImagePlace] { try stage("container_path") { try lookups.imagePlaces(paths) } }

  /// Files that come over those of the image: what is in the way stays so.
  private var mountedFiles: Set<String> {
    let own =
      [pod.hostnameFile, pod.hostsFile, pod.resolvConfFile].compactMap(\.self) + ["passwd", "group"].map { "\(prepared.ownFiles)/\($0)" }
    return Set(own + prepared.hostFiles.map { prepared.resolved[$0] ?? $0 })
  }

  /// Whether another mount comes over the place, or over what is on the way to it. Destinations may be symlinks of the image themselves.
  private func isCovered(_ asked: AskedPlace, _ place: ImagePlace, _ mounts: [RuntimeSpec.Mount]) throws(Fault) -> Bool {
    let files = mountedFiles
    let others = mounts.filter { !files.contains($0.source ?? "") && ($0.destination != asked.path || asked.field == "working_dir") }
      .map(\.destination)
    let covers = { (mount: String) in ContainerPath.contains(mount, asked.path) || ContainerPath.contains(mount, place.path) }
    if others.contains(where: covers) { return true }
    return try places(others).contains { $0.kind != .obstructed && covers($0.path) }
  }
}
