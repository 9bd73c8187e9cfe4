extension CDISpec.Edits {
  /// Where on the host the edits reach: of devices those that are to be as the host's are, of mounts what is bound, and the hooks' programs.
  var hostPaths: [String] {
    deviceNodes.filter { !$0.isComplete }.map(\.source) + mounts.filter(\.isBind).map(\.hostPath) + hooks.map(\.path)
  }
}

extension CDISpec.DeviceNode {
  /// The spec says all that a node is made of.
  var isComplete: Bool { type == "p" || type?.isEmpty == false && major != nil && minor != nil }

  /// The host's device.
  var source: String { hostPath.map { $0.isEmpty ? path : $0 } ?? path }
}

extension CDISpec.Mount {
  var isBind: Bool { ["", "bind", "none"].contains(type ?? "") }
}
