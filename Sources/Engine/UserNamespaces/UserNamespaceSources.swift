package import Linux

/// Where pods whose kubelet asks for no user namespace may have one from.
package struct UserNamespaceSources: Sendable, Hashable {
  /// For pods that say nothing themselves and share nothing with the host; nil for the host's own users.
  package var standard: IDMaps?
  /// Whose entries of the files below `auto` namespaces are made of.
  package var owner = "containers"
  /// Files as subuid(5) and subgid(5) have them, read anew each time.
  package var subordinateUsers = "/etc/subuid"
  package var subordinateGroups = "/etc/subgid"

  package init() {}
}
