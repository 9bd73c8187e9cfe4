package import CRIAPI
package import Core
package import OCI

/// The capabilities of a container's process.
package struct CapabilitySets: Hashable, Sendable {
  /// Bounding, permitted and effective.
  package var granted: Set<Capability>
  /// Ambient and inheritable: what a process keeps that is not root.
  package var ambient: Set<Capability> = []
  /// All that is granted is inheritable, too.
  package var isInheritable = false

  /// From the defaults: `ALL` first, then what is added, then what is dropped, as containerd does it. Nobody can give what the daemon does not have:
  /// of the defaults, of `ALL` and of a privileged container that is left out; asked for by name it is FAILED_PRECONDITION.
  /// - Parameter base: instead of the node's defaults.
  package static func make(
    _ context: Runtime_V1_LinuxContainerSecurityContext, node: NodeFacts, base own: Set<Capability>? = nil
  ) throws(Fault) -> CapabilitySets {
    let available = node.availableCapabilities
    if context.privileged { return CapabilitySets(granted: available) }
    let asked = context.capabilities
    let add = try Request(asked.addCapabilities, field: "capabilities.add_capabilities")
    let drop = try Request(asked.dropCapabilities, field: "capabilities.drop_capabilities")
    let ambient = try Request(asked.addAmbientCapabilities, field: "capabilities.add_ambient_capabilities")
    try refuse(add.named.union(ambient.named).subtracting(available).subtracting(drop.named))
    let base = drop.all ? [] : add.all ? Capability.all : own ?? node.defaults.capabilities
    let ambientSet = (ambient.all ? Capability.all : ambient.named).intersection(available)
    let granted = base.union(add.named).subtracting(drop.named).intersection(available).union(ambientSet)
    return CapabilitySets(granted: granted, ambient: ambientSet, isInheritable: node.defaults.inheritsCapabilities)
  }

  package var spec: RuntimeSpec.Capabilities {
    let names = granted.sorted().map(\.name)
    let kept = ambient.sorted().map(\.name)
    return RuntimeSpec.Capabilities(
      bounding: names, effective: names, inheritable: isInheritable ? names : kept, permitted: names, ambient: kept)
  }

  private static func refuse(_ missing: Set<Capability>) throws(Fault) {
    guard let first = missing.min() else { return }
    throw Fault(.failedPrecondition, "\(first.name) is asked for, but the daemon does not have it to give")
  }
}

/// A list of names as the CRI gives it.
private struct Request {
  var all = false
  var named: Set<Capability> = []

  init(_ names: [String], field: String) throws(Fault) {
    for name in names {
      if name.uppercased() == "ALL" {
        all = true
      } else if let capability = Capability(named: name) {
        named.insert(capability)
      } else {
        throw Fault(.invalidArgument, "\(field): no capability is called \"\(name.prefix(64))\"")
      }
    }
  }
}
