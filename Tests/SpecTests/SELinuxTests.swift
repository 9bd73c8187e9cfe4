import CRIAPI
import Core
import Linux
import OCI
import Spec
import Support
import SwiftProtobuf
import Testing

struct SELinuxTests {
  private let policy = """
    # Labels of containers
    process = "system_u:system_r:container_t:s0"
    content = "system_u:object_r:virt_var_lib_t:s0"
    file = "system_u:object_r:container_file_t:s0"
    ro_file="system_u:object_r:container_ro_file_t:s0"
    init_process = "system_u:system_r:container_init_t:s0"
    kvm_process = "system_u:system_r:container_kvm_t:s0"
    """

  private func node(_ mode: SELinuxMode? = nil) throws -> NodeFacts {
    var node = NodeFacts()
    node.selinux = try mode ?? .enforced(SELinuxContexts(policy))
    return node
  }

  private func pod(_ change: (inout Runtime_V1_LinuxSandboxSecurityContext) -> Void = { _ in }) throws -> SELinuxLabels? {
    var context = Runtime_V1_LinuxSandboxSecurityContext()
    change(&context)
    return try node().labels(context) { "s0:c1,c2" }
  }

  private func container(_ change: (inout Runtime_V1_LinuxContainerSecurityContext) -> Void = { _ in }) throws -> SELinuxLabels? {
    var context = Runtime_V1_LinuxContainerSecurityContext()
    change(&context)
    return try node().labels(context, in: try pod())
  }

  @Test func `a label is its parts again`() {
    for text in ["system_u:system_r:container_t:s0:c1,c2", "u:r:t", "u:r:t:s0-s0:c0.c1023"] {
      #expect(SELinuxLabel(text).map { "\($0)" } == text)
    }
    for text in ["", "u", "u:r", "u::t", "u:r:t:s0 x", "u:r:\nt"] { #expect(SELinuxLabel(text) == nil) }
  }

  @Test func `a pod's processes and files have the policy's labels and a level of its own`() throws {
    #expect(
      try pod() == SELinuxLabels(process: "system_u:system_r:container_t:s0:c1,c2", file: "system_u:object_r:container_file_t:s0:c1,c2"))
    let asked = try pod { $0.selinuxOptions = .with { ($0.user, $0.role, $0.type, $0.level) = ("u", "r", "super_t", "s0:c5,c6") } }
    #expect(asked == SELinuxLabels(process: "u:r:super_t:s0:c5,c6", file: "system_u:object_r:container_file_t:s0:c5,c6"))
  }

  @Test func `a container has its pod's labels, or its own on the pod's level, or none where it is privileged`() throws {
    #expect(try container() == pod())
    #expect(try container { $0.selinuxOptions.type = "spc_t" }?.process == "system_u:system_r:spc_t:s0:c1,c2")
    #expect(try container { $0.selinuxOptions.level = "s0" }?.file == "system_u:object_r:container_file_t:s0")
    #expect(try container { $0.privileged = true } == nil)
  }

  @Test func `a virtual machine and an init system have labels of their own kind`() throws {
    let kind = SELinuxKind(command: ["/usr/sbin/init", "--x"])
    #expect(kind == .initSystem && SELinuxKind(command: ["/bin/sh"]) == .container && SELinuxKind(command: []) == .container)
    let node = try node()
    let machine = try node.labels(Runtime_V1_LinuxSandboxSecurityContext(), .machine) { "s0:c1,c2" }
    #expect(machine?.process == "system_u:system_r:container_kvm_t:s0:c1,c2")
    let system = try node.labels(Runtime_V1_LinuxContainerSecurityContext(), kind, in: try pod())
    #expect(system?.process == "system_u:system_r:container_init_t:s0:c1,c2")
    let asked = try node.labels(.with { $0.selinuxOptions.type = "x_t" }, kind, in: try pod())
    #expect(asked?.process == "system_u:system_r:x_t:s0:c1,c2")
    let simple = try SELinuxContexts("process = \"u:r:p_t:s0\"\nfile = \"u:r:f_t:s0\"")
    var plain = NodeFacts()
    plain.selinux = .enforced(simple)
    #expect(try plain.labels(Runtime_V1_LinuxSandboxSecurityContext(), .machine) { "s0:c1,c2" }?.process == "u:r:p_t:s0:c1,c2")
  }

  @Test func `labels are in the spec, and the kernel is asked about them`() throws {
    let labels = SELinuxLabels(process: "u:r:p_t:s0", file: "u:r:f_t:s0")
    let spec = try SpecFixture.build {
      $0.labels = labels
      $0.lookups.isLabel = { $0 == labels.process }
    }
    #expect(spec.process.selinuxLabel == labels.process && spec.linux.mountLabel == labels.file)
    let exec = try ExecProcess.make(base: spec.process, command: ["true"], tty: false)
    #expect(exec.selinuxLabel == labels.process)
    let fault = SpecFixture.fault {
      $0.labels = labels
      $0.lookups.isLabel = { _ in false }
    }
    #expect(fault.code == .invalidArgument && fault.message.contains("u:r:p_t:s0"), "\(fault)")
    #expect(try SpecFixture.build().process.selinuxLabel == nil)
  }

  @Test func `where there are no labels, asking for one is an error, unless nobody minds`() throws {
    let context = Runtime_V1_LinuxContainerSecurityContext.with { $0.selinuxOptions.level = "s0:c1" }
    let fault = try #require(throws: Fault.self) { try node(.none(reason: "this node has no SELinux")).labels(context, in: nil) }
    #expect(fault.code == .failedPrecondition && fault.message.contains("this node has no SELinux"), "\(fault)")
    #expect(try node(.ignored).labels(context, in: nil) == nil)
    let privileged = Runtime_V1_LinuxContainerSecurityContext.with { ($0.selinuxOptions.level, $0.privileged) = ("s0:c1", true) }
    #expect(try node(.none(reason: "")).labels(privileged, in: nil) == nil)
    #expect(try node(.none(reason: "")).labels(Runtime_V1_LinuxSandboxSecurityContext()) { "s0" } == nil)
  }

  @Test func `no two pods have one level`() {
    let levels = SELinuxLevels(categories: 20)
    var used: Set<String> = []
    for _ in 0..<150 {
      let level = levels.next(besides: used)
      #expect(used.insert(level).inserted, "\(level) twice")
    }
    #expect(used.allSatisfy { $0.hasPrefix("s0:c") && $0.split(separator: ",").count == 2 })
  }

  @Test func `levels have two different categories of those that are for pods, and one is given again where none is left`() {
    #expect((0..<5).map { _ in SELinuxLevels(categories: 2).next(besides: []) }.allSatisfy { $0 == "s0:c0,c1" })
    let levels = SELinuxLevels(categories: 3)
    let all: Set = ["s0:c0,c1", "s0:c0,c2", "s0:c1,c2"]
    #expect(Set((0..<3).map { _ in levels.next(besides: []) }) == all)
    #expect(all.contains(levels.next(besides: all)))
  }

  @Test func `the node's policy is found by its configuration, and named where it has no labels for containers`() throws {
    try withScratch { scratch in
      try Files.write("SELINUX=enforcing\nSELINUXTYPE=targeted\n", to: scratch + "/config")
      let missing = #expect(throws: Fault.self) { try SELinuxContexts.ofNode(scratch) }
      #expect(missing?.message.contains("targeted/contexts/lxc_contexts") == true, "\(missing.map { "\($0)" } ?? "")")
      try Files.makeDirectories(scratch + "/targeted/contexts")
      try Files.write(policy, to: scratch + "/targeted/contexts/lxc_contexts")
      #expect(try SELinuxContexts.ofNode(scratch) == SELinuxContexts(policy))
      #expect(throws: Fault.self) { try SELinuxContexts("process = \"u:r:t:s0\"") }
    }
  }

  @Test func `volumes of the container's own are relabelled, the host's never`() throws {
    func mount(_ path: String, _ change: (inout Runtime_V1_Mount) -> Void = { $0.selinuxRelabel = true }) -> Runtime_V1_Mount {
      var mount = Runtime_V1_Mount.with { ($0.hostPath, $0.containerPath) = (path, "/x") }
      change(&mount)
      return mount
    }
    let asked = [mount("/data/a"), mount("/data/b") { _ in }, mount("/data/link")]
    #expect(try Relabelling.paths(asked) { $0 == "/data/link" ? "/data/c" : $0 } == ["/data/a", "/data/c"])
    for path in ["/", "/etc/", "/usr", "/var/lib", "/proc/sys"] {
      let fault = #expect(throws: Fault.self) { try Relabelling.paths([mount(path)]) { $0 } }
      #expect(fault?.code == .failedPrecondition && fault?.message.contains("mounts[0].selinux_relabel") == true)
    }
    #expect(throws: Fault.self) { try Relabelling.paths([mount("/data/link")]) { _ in "/etc" } }
  }
}
