import CRIAPI
import Core
import Linux
import OCI
import Spec
import SwiftProtobuf
import Testing

struct SecuritySpecTests {
  private func sets(_ change: (inout SpecInputs) -> Void) throws(Fault) -> RuntimeSpec.Capabilities {
    try SpecFixture.build(change).process.capabilities!
  }

  @Test func theDefaultCapabilitiesAreTheFourteenOfDocker() throws {
    let sets = try sets { _ in }
    #expect(sets.bounding.count == 14)
    #expect(sets.bounding == sets.effective && sets.bounding == sets.permitted)
    #expect(sets.ambient.isEmpty && sets.inheritable.isEmpty)
  }

  @Test func namesAreAddedAndDroppedInAnySpelling() throws {
    let sets = try sets {
      $0.securityContext.capabilities.addCapabilities = ["net_admin", "CAP_SYS_TIME"]
      $0.securityContext.capabilities.dropCapabilities = ["Chown"]
    }
    #expect(Set(sets.bounding).isSuperset(of: ["CAP_NET_ADMIN", "CAP_SYS_TIME"]))
    #expect(!sets.bounding.contains("CAP_CHOWN"))
    #expect(sets.bounding.count == 15)
  }

  @Test func allComesFirstAndSingleNamesAfterIt() throws {
    let dropAll = try sets {
      $0.securityContext.capabilities.dropCapabilities = ["ALL"]
      $0.securityContext.capabilities.addCapabilities = ["CHOWN"]
    }
    #expect(dropAll.bounding == ["CAP_CHOWN"])
    let addAll = try sets {
      $0.securityContext.capabilities.addCapabilities = ["all"]
      $0.securityContext.capabilities.dropCapabilities = ["CHOWN"]
      $0.node.availableCapabilities.remove(.sysResource)
    }
    #expect(addAll.bounding.count == Capability.all.count - 2)
  }

  @Test func ambientCapabilitiesReachEverySet() throws {
    let sets = try sets { $0.securityContext.capabilities.addAmbientCapabilities = ["SYS_NICE"] }
    #expect(sets.ambient == ["CAP_SYS_NICE"] && sets.inheritable == ["CAP_SYS_NICE"])
    #expect(sets.permitted.contains("CAP_SYS_NICE"))
  }

  @Test func whatNobodyCanGiveIsRefused() {
    #expect(
      SpecFixture.fault { $0.securityContext.capabilities.addCapabilities = ["FLY"] }
        == (.invalidArgument, "capabilities.add_capabilities: no capability is called \"FLY\""))
    let missing = SpecFixture.fault {
      $0.securityContext.capabilities.addCapabilities = ["SYS_RESOURCE"]
      $0.node.availableCapabilities.remove(.sysResource)
    }
    #expect(missing.code == .failedPrecondition && missing.message.contains("CAP_SYS_RESOURCE"))
  }

  @Test func aPrivilegedContainerHasWhatTheDaemonHas() throws {
    let spec = try SpecFixture.build {
      $0.bePrivileged()
      $0.node.availableCapabilities = [.chown, .sysAdmin]
      $0.securityContext.maskedPaths = ["/proc/kcore"]
      $0.securityContext.readonlyPaths = ["/proc/sys"]
      $0.securityContext.seccomp.profileType = .runtimeDefault
    }
    #expect(spec.process.capabilities?.bounding == ["CAP_CHOWN", "CAP_SYS_ADMIN"])
    #expect(spec.linux.maskedPaths == nil && spec.linux.readonlyPaths == nil && spec.linux.seccomp == nil)
    #expect(spec.linux.devices?.map(\.path) == ["/dev/kmsg"])
    #expect(spec.linux.resources?.devices == [RuntimeSpec.DeviceRule(allow: true, access: "rwm")])
    #expect(spec.mounts.filter { $0.destination.hasPrefix("/sys") }.allSatisfy { $0.options?.contains("rw") == true })
    #expect(!spec.linux.namespaces.contains { $0.type == .cgroup })
  }

  @Test func anUnprivilegedContainerLeavesSysWritableForThePrivilegedOnesOfItsPod() throws {
    func sys(_ change: (inout SpecInputs) -> Void) throws -> [String] {
      let spec = try SpecFixture.build {
        $0.sandbox.linux.securityContext.privileged = true
        $0.securityContext.readonlyPaths = ["/proc/sys"]
        change(&$0)
      }
      return [spec.mounts.first { $0.destination == "/sys" }?.options?.last ?? ""] + (spec.linux.readonlyPaths ?? [])
    }
    #expect(try sys { _ in } == ["rw", "/sys", "/proc/sys"])
    #expect(try sys { $0.securityContext.privileged = true } == ["rw"])
    #expect(try sys { $0.sandbox.linux.securityContext.privileged = false } == ["ro", "/proc/sys"])
    #expect(try sys { $0.pod.networkNamespace = nil } == ["ro", "/proc/sys"])
    #expect(try sys { $0.mount("/sys", "/sys/") { $0.readonly = false } } == ["rw", "/proc/sys"])
  }

  @Test func aPrivilegedContainerNeedsAPrivilegedPod() {
    let fault = SpecFixture.fault { $0.securityContext.privileged = true }
    #expect(fault.code == .invalidArgument && fault.message.contains("its pod is not"))
  }

  @Test func pathsAndFlagsAreTakenFromTheCRI() throws {
    let spec = try SpecFixture.build {
      $0.securityContext.maskedPaths = ["/proc/kcore"]
      $0.securityContext.readonlyPaths = ["/proc/sys"]
      $0.securityContext.readonlyRootfs = true
      $0.securityContext.noNewPrivs = true
    }
    #expect(spec.linux.maskedPaths == ["/proc/kcore"])
    #expect(spec.linux.readonlyPaths == ["/proc/sys"])
    #expect(spec.root.readonly == true)
    #expect(spec.process.noNewPrivileges == true)
  }

  @Test func aNamedAppArmorProfileNeedsAppArmor() throws {
    let named: (inout SpecInputs) -> Void = {
      $0.securityContext.apparmor.profileType = .localhost
      $0.securityContext.apparmor.localhostRef = "localhost/strict"
      $0.node.hasAppArmor = true
    }
    #expect(try SpecFixture.build(named).process.apparmorProfile == "strict")
    let missing = SpecFixture.fault {
      named(&$0)
      $0.securityContext.apparmor.localhostRef = "other"
    }
    #expect(missing.code == .failedPrecondition && missing.message.contains("profile \"other\" is not loaded"), "\(missing)")
    let usual = try SpecFixture.build {
      $0.node.hasAppArmor = true
      $0.node.defaultAppArmorProfile = DefaultAppArmor.name
    }
    #expect(usual.process.apparmorProfile == "berth-default")
    let fault = SpecFixture.fault {
      named(&$0)
      $0.node.hasAppArmor = false
    }
    #expect(fault.code == .failedPrecondition && fault.message.contains("\"strict\""))
    #expect(try SpecFixture.build { $0.securityContext.apparmorProfile = "unconfined" }.process.apparmorProfile == nil)
    #expect(try SpecFixture.build { $0.securityContext.apparmorProfile = "runtime/default" }.process.apparmorProfile == nil)
  }

  @Test func devicesOfTheCRIGetNodesAndRules() throws {
    let spec = try SpecFixture.build {
      var device = Runtime_V1_Device()
      device.hostPath = "/dev/snd/"
      device.containerPath = "/dev/sound"
      device.permissions = "rw"
      $0.container.devices = [device]
      $0.lookups.devices = { path in [DeviceNode(path: path + "/pcm", kind: .character, major: 116, minor: 2, mode: 0o660, gid: 29)] }
    }
    #expect(spec.linux.devices?.map(\.path) == ["/dev/sound/pcm"])
    #expect(spec.linux.devices?.first?.fileMode == 0o660)
    #expect(spec.linux.resources?.devices?.first?.allow == false)
    #expect(
      spec.linux.resources?.devices?.last == RuntimeSpec.DeviceRule(allow: true, type: "c", major: 116, minor: 2, access: "rw"))
  }

  @Test func aMissingDeviceIsNamed() {
    let fault = SpecFixture.fault {
      var device = Runtime_V1_Device()
      device.hostPath = "/dev/nothing"
      $0.container.devices = [device]
    }
    #expect(fault.code == .notFound && fault.message.hasPrefix("devices[0].host_path: stat /dev/nothing"))
    let file = SpecFixture.fault {
      $0.container.devices = [.with { $0.hostPath = "/etc/passwd" }]
      $0.lookups.devices = { throw SystemError(19, call: "stat", object: $0) }
    }
    #expect(file.code == .failedPrecondition && file.message.contains("/etc/passwd"), "\(file)")
  }
}
