import CRIAPI
package import Core
import Linux
import OCI

/// A container's runtime spec: a function of its inputs, without a side effect.
/// The meaning of each CRI field is the one kubelets know from containerd. Inputs are validated first (see ``Validation``).
package func makeSpec(_ inputs: SpecInputs) throws(Fault) -> BuiltSpec {
  try Validation.check(inputs.sandbox)
  try Validation.check(inputs.container)
  try inputs.checkPrivileged()
  var warnings: [String] = []
  try inputs.checkLabel()
  try inputs.checkUserNamespace()
  try inputs.checkMemory()
  try inputs.checkPlacement()
  inputs.warnOfRefused(&warnings)
  inputs.warnOfInit(&warnings)
  let capabilities = try CapabilitySets.make(inputs.security, node: inputs.node, base: inputs.handler.base?.capabilities)
  let userFiles = try inputs.userFiles()
  let mounts = try inputs.mountPlan(userFiles: userFiles.keys)
  try inputs.checkPlaces(mounts.mounts)
  var spec = RuntimeSpec(
    process: try inputs.process(capabilities),
    root: RuntimeSpec.Root(path: "rootfs", readonly: inputs.hasReadonlyRoot ? true : nil),
    mounts: mounts.mounts, linux: try inputs.linux(capabilities, &warnings))
  spec.linux.rootfsPropagation = mounts.rootPropagation
  spec.annotations = inputs.annotations.merging(inputs.passedAnnotations) { own, _ in own }
    .merging(inputs.scopeProperties) { own, _ in own }.merging(inputs.handler.defaultAnnotations) { own, _ in own }
  inputs.addBase(to: &spec)
  let hostFiles = try inputs.addCDI(to: &spec)
  try inputs.addHooks(to: &spec)
  let notifier = try inputs.addNotifier(to: &spec, &warnings)
  let stopSignal = try StopSignal.resolve(inputs, &warnings)
  return BuiltSpec(
    spec: spec, hostPaths: mounts.hostPaths, hostFiles: hostFiles, stopSignal: stopSignal, userFiles: userFiles, notifier: notifier,
    warnings: warnings)
}

extension SpecInputs {
  /// Below a handler's own needs a container could not even start.
  fileprivate func checkMemory() throws(Fault) {
    let limit = container.linux.resources.memoryLimitInBytes
    guard limit > 0, limit < handler.minimumMemory else { return }
    throw Fault(
      .invalidArgument,
      "linux.resources.memory_limit_in_bytes: \(limit) is below the \(handler.minimumMemory) bytes that this runtime handler needs")
  }

  fileprivate func linux(_ capabilities: CapabilitySets, _ warnings: inout [String]) throws(Fault) -> RuntimeSpec.Linux {
    var linux = RuntimeSpec.Linux()
    linux.namespaces = try namespaces()
    if let maps = pod.userNamespace?.maps {
      linux.uidMappings = maps.users.map(RuntimeSpec.IDMapping.init)
      linux.gidMappings = maps.groups.map(RuntimeSpec.IDMapping.init)
    }
    linux.cgroupsPath = try CgroupPath(parent: sandbox.linux.cgroupParent, driver: node.cgroupDriver).spec(id)
    linux.mountLabel = labels?.file
    let devices = try devicePlan()
    linux.devices = devices.nodes.isEmpty ? nil : devices.nodes
    var (resources, ignored) = try LinuxResources.make(try resources(), node: node)
    resources.devices = devices.rules
    resources.pids = node.pidsLimit.map(RuntimeSpec.PIDs.init(limit:))
    linux.resources = resources
    warnings += ignored
    linux.seccomp = try seccomp(capabilities, &warnings)
    protectPaths(&linux)
    return linux
  }
}

extension RuntimeSpec.IDMapping {
  fileprivate init(_ range: IDRange) { self.init(containerID: range.inside, hostID: range.outside, size: range.count) }
}
