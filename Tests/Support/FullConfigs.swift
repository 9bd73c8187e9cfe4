package import CRIAPI
import FoundationEssentials
import SwiftProtobuf

/// Configs in which every field that Linux knows is set, to something that works: what mutations start from.
package enum FullConfigs {
  package enum Kind: Hashable, Sendable, CaseIterable {
    /// On the host's network, its users those of the host.
    case host
    /// With a network and ports of the host, and with users of its own.
    case own

    package static func of(_ number: UInt64) -> Kind { number % 2 == 0 ? .host : .own }
  }

  /// - Parameter scratch: a directory of the test's own; every host path lies below it.
  package static func sandbox(scratch: String, cgroup: String, _ kind: Kind = .host) -> Runtime_V1_PodSandboxConfig {
    let host = hostSandbox(scratch, cgroup)
    return kind == .host ? host : own(host)
  }

  private static func hostSandbox(_ scratch: String, _ cgroup: String) -> Runtime_V1_PodSandboxConfig {
    .with {
      $0.metadata = .with {
        $0.name = "full"
        $0.uid = "uid"
        $0.namespace = "default"
        $0.attempt = 1
      }
      $0.hostname = "full"
      $0.logDirectory = scratch + "/logs"
      $0.dnsConfig = .with {
        $0.servers = ["10.0.0.10"]
        $0.searches = ["svc.local"]
        $0.options = ["ndots:5"]
      }
      $0.portMappings = [
        .with {
          $0.protocol = .udp; $0.containerPort = 53; $0.hostPort = 0; $0.hostIp = "127.0.0.1"
        }
      ]
      $0.labels = ["a": "b"]
      $0.annotations = [
        "kubernetes.io/ingress-bandwidth": "10M", "shm-size.crio.io": "1m", "own/full": #"{"cpushares": 1024, "cpulimit": 500}"#,
        "umask.crio.io": "027", "devices.crio.io": "/dev/fuse", "cpu-shared.crio.io/full": "enable", "cpu-quota.crio.io": "disable",
      ]
      $0.linux = linuxSandbox(cgroup)
    }
  }

  private static func linuxSandbox(_ cgroup: String) -> Runtime_V1_LinuxPodSandboxConfig {
    .with {
      $0.cgroupParent = cgroup
      $0.sysctls = ["kernel.shm_rmid_forced": "1"]
      $0.overhead = resources
      $0.resources = resources
      $0.securityContext = .with {
        $0.namespaceOptions = .with {
          $0.network = .node
          $0.pid = .container
          $0.usernsOptions.mode = .node
        }
        $0.selinuxOptions = .with {
          $0.type = ""; $0.level = ""
        }
        $0.runAsUser.value = 1000
        $0.runAsGroup.value = 1000
        $0.readonlyRootfs = true
        $0.supplementalGroups = [1, 2]
        $0.supplementalGroupsPolicy = .strict
        $0.seccomp.profileType = .unconfined
        $0.apparmor.profileType = .unconfined
      }
    }
  }

  package static var resources: Runtime_V1_LinuxContainerResources {
    .with {
      $0.cpuPeriod = 100_000
      $0.cpuQuota = 50_000
      $0.cpuShares = 512
      $0.memoryLimitInBytes = 64 << 20
      $0.oomScoreAdj = 500
      $0.cpusetCpus = "0"
      $0.cpusetMems = "0"
      $0.hugepageLimits = [
        .with {
          $0.pageSize = "2MB"; $0.limit = 0
        }
      ]
      $0.memorySwapLimitInBytes = 64 << 20
    }
  }

  package static func container(scratch: String, image: String, _ kind: Kind = .host) -> Runtime_V1_ContainerConfig {
    let host = hostContainer(scratch, image)
    return kind == .host ? host : own(host)
  }

  private static func hostContainer(_ scratch: String, _ image: String) -> Runtime_V1_ContainerConfig {
    .with {
      $0.metadata = .with {
        $0.name = "full"; $0.attempt = 1
      }
      $0.image = .with {
        $0.image = image; $0.annotations = ["a": "b"]; $0.userSpecifiedImage = image
      }
      $0.command = ["sh", "-c"]
      $0.args = ["true"]
      $0.workingDir = "/"
      $0.envs = [
        .with {
          $0.key = "A"; $0.value = .init([66])
        }
      ]
      $0.mounts = mounts(scratch, image)
      $0.devices = [
        .with {
          $0.containerPath = "/dev/zero2"; $0.hostPath = "/dev/zero"; $0.permissions = "r"
        }
      ]
      $0.labels = ["a": "b"]
      $0.annotations = ["cdi.k8s.io/none": "", "x": "y"]
      $0.annotations["cdi.k8s.io/none"] = nil
      $0.logPath = "full.log"
      $0.stdin = true
      $0.stdinOnce = true
      $0.stopSignal = .sigusr1
      $0.linux.resources = resources
      $0.linux.securityContext = security
    }
  }

  private static func mounts(_ scratch: String, _ image: String) -> [Runtime_V1_Mount] {
    let range = Runtime_V1_IDMapping.with {
      $0.hostID = 0; $0.containerID = 0; $0.length = 1000
    }
    return [
      .with {
        $0.hostPath = scratch + "/a"; $0.containerPath = "/a"; $0.readonly = true; $0.mountOptions = ["noexec"]
      },
      .with {
        $0.hostPath = scratch + "/b"; $0.containerPath = "/b"; $0.uidMappings = [range]; $0.gidMappings = [range]; $0.selinuxRelabel = true
      },
      .with {
        $0.containerPath = "/c"; $0.readonly = true; $0.image.image = image; $0.imageSubPath = "etc"
      },
    ]
  }

  private static var security: Runtime_V1_LinuxContainerSecurityContext {
    .with {
      $0.capabilities = .with {
        $0.addCapabilities = ["NET_ADMIN"]; $0.dropCapabilities = ["KILL"]; $0.addAmbientCapabilities = ["NET_BIND_SERVICE"]
      }
      $0.namespaceOptions = .with {
        $0.pid = .container; $0.network = .node
      }
      $0.selinuxOptions = .with { $0.level = "" }
      $0.runAsUser.value = 1000
      $0.runAsGroup.value = 1000
      $0.readonlyRootfs = true
      $0.supplementalGroups = [5, 6]
      $0.supplementalGroupsPolicy = .strict
      $0.noNewPrivs = true
      $0.maskedPaths = ["/proc/kcore"]
      $0.readonlyPaths = ["/proc/sys"]
      $0.seccomp.profileType = .runtimeDefault
      $0.apparmor.profileType = .unconfined
    }
  }

  /// Texts that have broken programs before.
  package static let texts =
    [
      "", " ", "a", "\0", "a\0b", "\n", "a\nb", "/", "//", "..", "../../../../x", "/../..", "/proc/self/root", "/dev/null", "-1", "0",
      "99999999999999999999",
      "%s%n", "💣\u{202E}", "localhost/x", "/no/such/thing", ".", "=", "A=B", "rwmx", "NOT_A_CAPABILITY", "ALL", "0-", "1,,2",
      "/sys/fs/cgroup", "/etc/passwd", "/etc/passwd/below", "4095", "3MB",
      String(repeating: "x", count: 300), String(repeating: "/y", count: 2500), String(repeating: "z", count: 1 << 20),
    ]
}
