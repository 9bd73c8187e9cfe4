import CRIAPI
import Core
import FoundationEssentials
import Linux
import OCI
import Spec

/// A valid pod and container to vary, on a node that can do everything.
enum SpecFixture {
  static let id = String(repeating: "c", count: 64)
  static let passwd = "root:x:0:0:root:/root:/bin/sh\n# comment\nbroken\napp:x:1000:1001::/home/app:/bin/sh\n"
  static let group = "root:x:0:\napp:x:1001:\nwheel:x:10:root,app\naudio:x:29:app\nnobody:x:65534:\n"

  static func inputs(_ change: (inout SpecInputs) -> Void = { _ in }) -> SpecInputs {
    var image = ImageConfig()
    image.config.cmd = ["/bin/sh"]
    var pod = PodFacts(sandboxID: String(repeating: "5", count: 64))
    pod.networkNamespace = "/run/netns/berth-1"
    pod.ipcNamespace = "/proc/7/ns/ipc"
    pod.utsNamespace = "/proc/7/ns/uts"
    let files = ["/etc/passwd": passwd, "/etc/group": group]
    var lookups = Lookups { path in files[path].map { Array($0.utf8) } }
    lookups.seccompProfile = { _ in nil }
    lookups.devices = { path in throw SystemError(2, call: "stat", object: path) }
    lookups.hostDevices = { [DeviceNode(path: "/dev/kmsg", kind: .character, major: 1, minor: 11, mode: 0o600)] }
    lookups.mounts = { [] }
    lookups.processors = { _ in CPUSet(Set(0..<64)) }
    lookups.memoryNodes = { _ in CPUSet([0, 1]) }
    lookups.appArmorProfiles = { ["strict", "berth-default"] }
    var inputs = SpecInputs(
      id: id, container: container, sandbox: sandbox, image: image, imageName: "docker.io/library/busybox:latest", pod: pod,
      node: NodeFacts(), lookups: lookups)
    change(&inputs)
    return inputs
  }

  static func build(_ change: (inout SpecInputs) -> Void = { _ in }) throws(Fault) -> RuntimeSpec { try makeSpec(inputs(change)).spec }

  /// The fault's code and message, or what came out instead.
  static func fault(_ change: (inout SpecInputs) -> Void) -> (code: Fault.Code?, message: String) {
    do {
      _ = try makeSpec(inputs(change))
      return (nil, "no fault")
    } catch {
      return (error.code, error.message)
    }
  }

  static var sandbox: Runtime_V1_PodSandboxConfig {
    var sandbox = Runtime_V1_PodSandboxConfig()
    sandbox.metadata.name = "web"
    sandbox.metadata.namespace = "default"
    sandbox.metadata.uid = "uid-1"
    sandbox.hostname = "web"
    sandbox.linux.cgroupParent = "/kubepods/pod1"
    sandbox.linux.securityContext.namespaceOptions.pid = .container
    return sandbox
  }

  static var container: Runtime_V1_ContainerConfig {
    var container = Runtime_V1_ContainerConfig()
    container.metadata.name = "main"
    container.linux.securityContext.namespaceOptions.pid = .container
    return container
  }
}

extension SpecInputs {
  var securityContext: Runtime_V1_LinuxContainerSecurityContext {
    get { container.linux.securityContext }
    set { container.linux.securityContext = newValue }
  }

  mutating func runAs(_ user: Int64? = nil, _ group: Int64? = nil) {
    if let user { securityContext.runAsUser.value = user }
    if let group { securityContext.runAsGroup.value = group }
  }

  mutating func setEnvironment(_ values: KeyValuePairs<String, String>) {
    container.envs = values.map { key, value in
      var entry = Runtime_V1_KeyValue()
      entry.key = key
      entry.value = Data(value.utf8)
      return entry
    }
  }

  mutating func mount(_ host: String, _ path: String, _ change: (inout Runtime_V1_Mount) -> Void = { _ in }) {
    var mount = Runtime_V1_Mount()
    mount.hostPath = host
    mount.containerPath = path
    change(&mount)
    container.mounts.append(mount)
  }

  mutating func bePrivileged() {
    securityContext.privileged = true
    sandbox.linux.securityContext.privileged = true
  }
}
