import CRIAPI
import Core
import Linux
import OCI
import Spec
import SwiftProtobuf
import Testing

struct MountSpecTests {
  private func mounts(_ change: (inout SpecInputs) -> Void) throws(Fault) -> [RuntimeSpec.Mount] { try SpecFixture.build(change).mounts }

  @Test func everyContainerHasItsOwnProcDevAndSys() throws {
    let mounts = try mounts { _ in }
    #expect(mounts.map(\.destination) == ["/proc", "/dev", "/dev/pts", "/dev/mqueue", "/sys", "/sys/fs/cgroup", "/dev/shm"])
    #expect(mounts.first { $0.destination == "/sys" }?.options?.contains("ro") == true)
  }

  @Test func theSandboxsFilesAreMountedUnlessTheCRIMountsItsOwn() throws {
    let mounts = try mounts {
      $0.pod.hostsFile = "/s/hosts"
      $0.pod.hostnameFile = "/s/hostname"
      $0.pod.resolvConfFile = "/s/resolv.conf"
      $0.pod.shm = "/s/shm"
      $0.securityContext.readonlyRootfs = true
      $0.mount("/kubelet/hosts", "/etc//hosts")
    }
    let sources = Dictionary(uniqueKeysWithValues: mounts.map { ($0.destination, $0) })
    #expect(sources["/etc/hosts"]?.source == "/kubelet/hosts")
    #expect(sources["/etc/resolv.conf"]?.options == ["rbind", "rprivate", "ro"])
    #expect(sources["/dev/shm"]?.source == "/s/shm")
    #expect(sources["/dev/shm"]?.options == ["rbind", "rprivate", "rw"])
  }

  @Test func aPodOnTheHostsIPCSeesTheHostsSharedMemory() throws {
    let shm = try mounts { $0.pod.ipcNamespace = nil }.filter { $0.destination == "/dev/shm" }
    #expect(shm.map(\.source) == ["/dev/shm"])
  }

  @Test func mountsComeInOrderOfDepthAndReplaceDefaults() throws {
    let mounts = try mounts {
      $0.mount("/c", "/a/b/c")
      $0.mount("/x", "/z/")
      $0.mount("/b", "/a/b") { $0.readonly = true }
      $0.mount("/dev", "/dev")
      $0.imageVolumes = ["/a": "/volumes/a", "/z": "/volumes/z"]
    }
    #expect(mounts.map(\.destination) == ["/proc", "/sys", "/sys/fs/cgroup", "/a", "/z", "/dev", "/a/b", "/a/b/c"])
    #expect(mounts.first { $0.destination == "/a/b" }?.options == ["rbind", "rprivate", "ro"])
    #expect(mounts.first { $0.destination == "/z" }?.source == "/x")
  }

  @Test func hostPathsOfTheClientAreListedForCreation() throws {
    let built = try makeSpec(
      SpecFixture.inputs {
        $0.mount("/link", "/a")
        $0.prepared.resolved = ["/link": "/real"]
        $0.pod.hostsFile = "/s/hosts"
      })
    #expect(built.hostPaths == ["/link"])
    #expect(built.spec.mounts.contains { $0.destination == "/a" && $0.source == "/real" })
  }

  /// `/` is private, `/shared` shared, `/slave` a slave.
  static let table = """
    27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
    31 27 0:28 / /shared rw shared:5 - tmpfs tmpfs rw
    32 27 0:29 / /slave rw - overlay overlay rw
    33 27 0:30 / /slave rw master:5 - tmpfs tmpfs rw
    """.split(separator: "\n").compactMap(MountInfo.init(line:))

  private func propagate(_ host: String, _ propagation: Runtime_V1_MountPropagation) -> (inout SpecInputs) -> Void {
    { inputs in
      inputs.mount(host, "/a") { $0.propagation = propagation }
      inputs.lookups.mounts = { Self.table }
    }
  }

  @Test func propagationIsPassedOnWhereTheHostHasIt() throws {
    let shared = try SpecFixture.build(propagate("/shared/x", .propagationBidirectional))
    #expect(shared.mounts.last?.options == ["rbind", "rshared", "rw"])
    #expect(shared.linux.rootfsPropagation == "rshared")
    for host in ["/shared", "/slave/x"] {
      let slave = try SpecFixture.build(propagate(host, .propagationHostToContainer))
      #expect(slave.mounts.last?.options == ["rbind", "rslave", "rw"])
      #expect(slave.linux.rootfsPropagation == "rslave")
    }
  }

  @Test func propagationWithoutASharedMountNamesThePath() {
    let private1 = SpecFixture.fault(propagate("/data/x", .propagationHostToContainer))
    #expect(private1 == (.failedPrecondition, "mounts[0] (/a).propagation: /data/x is on the mount /, which is not shared or slave"))
    let slave = SpecFixture.fault(propagate("/slave/x", .propagationBidirectional))
    #expect(slave == (.failedPrecondition, "mounts[0] (/a).propagation: /slave/x is on the mount /slave, which is not shared"))
    #expect(SpecFixture.fault(propagate("/x", .UNRECOGNIZED(9))).message == "mounts[0] (/a).propagation: there is no propagation 9")
  }

  @Test func anImageIsMountedReadOnly() throws {
    let image = { (inputs: inout SpecInputs) in
      inputs.container.mounts = [
        .with {
          $0.containerPath = "/model"; $0.image.image = "models/x:1"; $0.readonly = true
        }
      ]
    }
    #expect(SpecFixture.fault(image).code == .failedPrecondition)
    let mounts = try mounts {
      image(&$0)
      $0.prepared.images = [0: "/bundle/mounts/image-0"]
    }
    let writable = SpecFixture.fault {
      image(&$0)
      $0.container.mounts[0].readonly = false
    }
    #expect(writable.code == .invalidArgument && writable.message.contains("mounts[0].readonly"))
    #expect(mounts.last?.source == "/bundle/mounts/image-0" && mounts.last?.options == ["rbind", "rprivate", "ro", "nosuid", "nodev"])
  }

  @Test func aVolumeWithOtherOwnersComesFromWhereItIsMappedButIsMadeWhereItIs() throws {
    let range = Runtime_V1_IDMapping.with {
      $0.hostID = 100_000; $0.length = 65536
    }
    let inputs = SpecFixture.inputs {
      $0.mount("/data", "/a") {
        $0.uidMappings = [range]; $0.gidMappings = [range]
      }
      $0.prepared.mapped = [0: "/bundle/mounts/volume-0"]
    }
    let built = try makeSpec(inputs)
    #expect(built.hostPaths == ["/data"] && built.spec.mounts.last?.source == "/bundle/mounts/volume-0")
    #expect(
      SpecFixture.fault { $0.mount("/data", "/a") { $0.uidMappings = [range] } }.message.contains("one of uidMappings and gidMappings"))
    #expect(
      SpecFixture.fault {
        $0.mount("/data", "/a") {
          $0.uidMappings = [range, range]; $0.gidMappings = [range]
        }
      }.message
        .contains("uidMappings[1]: container_id 0, host_id 100000, length 65536: overlaps"))
    let huge = Runtime_V1_IDMapping.with {
      $0.hostID = .max - 1; $0.length = 3
    }
    #expect(
      SpecFixture.fault {
        $0.mount("/data", "/a") {
          $0.uidMappings = [huge]; $0.gidMappings = [range]
        }
      }.message.contains("host_id"))
  }

  @Test func recursiveReadOnlyNeedsReadonlyAndPrivate() throws {
    let mounts = try mounts {
      $0.mount("/x", "/a") {
        $0.readonly = true
        $0.recursiveReadOnly = true
        $0.mountOptions = ["noexec"]
      }
    }
    #expect(mounts.last?.options == ["rbind", "rprivate", "rro", "noexec"])
    #expect(SpecFixture.fault { $0.mount("/x", "/a") { $0.recursiveReadOnly = true } }.code == .invalidArgument)
    let unable = SpecFixture.fault { inputs in
      inputs.node.hasRecursiveReadOnly = false
      inputs.mount("/x", "/a") { ($0.recursiveReadOnly, $0.readonly) = (true, true) }
    }
    #expect(unable.code == .failedPrecondition && unable.message.contains("RROUnsupported: "), "\(unable.message)")
    #expect(SpecFixture.fault { $0.mount("/x", "/a") { $0.mountOptions = ["suid"] } }.message.contains("\"suid\""))
    #expect(SpecFixture.fault { $0.mount("/x", "/a/..") }.message.contains("over the root"))
  }
}
