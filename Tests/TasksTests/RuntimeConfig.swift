import Core
import FoundationEssentials

/// A config.json for busybox: as little as runc takes, in the pod's namespaces.
struct RuntimeConfig {
  let container: ContainerPlan
  let sandbox: SandboxPlan
  let holder: Int32
  let arguments: [String]

  init(_ container: ContainerPlan, _ sandbox: SandboxPlan, holder: Int32, _ arguments: [String]) {
    self.container = container
    self.sandbox = sandbox
    self.holder = holder
    self.arguments = arguments
  }

  var json: String {
    """
    {"ociVersion":"1.0.2","process":\(Self.process(arguments, terminal: container.terminal)),"root":{"path":"rootfs"},"hostname":"",
     "mounts":[
      {"destination":"/proc","type":"proc","source":"proc"},
      {"destination":"/dev","type":"tmpfs","source":"tmpfs","options":["nosuid","mode=755","size=64k"]},
      {"destination":"/dev/pts","type":"devpts","source":"devpts","options":["nosuid","noexec","newinstance","ptmxmode=0666"]}],
     "linux":{"cgroupsPath":"\(container.cgroup)","namespaces":[\(namespaces.joined(separator: ","))],
      "resources":{"devices":[{"allow":false,"access":"rwm"}]}}}
    """
  }

  /// An OCI process object, for the container's own process and for exec.
  static func process(_ arguments: [String], terminal: Bool = false) -> String {
    let list = (try? JSONEncoder().encode(arguments)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
    return """
      {"terminal":\(terminal),"user":{"uid":0,"gid":0},"args":\(list),"env":["PATH=/bin"],"cwd":"/",
       "capabilities":{"bounding":["CAP_KILL"],"effective":["CAP_KILL"],"permitted":["CAP_KILL"]},"noNewPrivileges":true}
      """
  }

  private var namespaces: [String] {
    var joined: [(type: String, file: String)] = []
    if sandbox.ownNetwork { joined.append(("network", "net")) }
    if sandbox.ownIPC { joined.append(("ipc", "ipc")) }
    if sandbox.ownUTS { joined.append(("uts", "uts")) }
    if sandbox.sharedPID { joined.append(("pid", "pid")) }
    let paths = joined.map { #"{"type":"\#($0.type)","path":"/proc/\#(holder)/ns/\#($0.file)"}"# }
    return paths + [#"{"type":"mount"}"#] + (sandbox.sharedPID ? [] : [#"{"type":"pid"}"#])
  }
}
