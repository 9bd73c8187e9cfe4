import CRIAPI
import Core
import FoundationEssentials
import Spec
import SwiftProtobuf
import Testing

struct ValidationTests {
  private func sandbox(_ change: (inout Runtime_V1_PodSandboxConfig) -> Void) -> String {
    var sandbox = SpecFixture.sandbox
    change(&sandbox)
    do {
      try Validation.check(sandbox)
      return "valid"
    } catch {
      return error.code == .invalidArgument ? error.message : "\(error.code): \(error.message)"
    }
  }

  private func container(_ change: (inout Runtime_V1_ContainerConfig) -> Void) -> String {
    var container = SpecFixture.container
    change(&container)
    do {
      try Validation.check(container)
      return "valid"
    } catch {
      return error.code == .invalidArgument ? error.message : "\(error.code): \(error.message)"
    }
  }

  @Test func ordinaryConfigurationsAreValid() {
    #expect(sandbox { _ in } == "valid")
    #expect(container { _ in } == "valid")
    #expect(sandbox { $0.linux.sysctls = ["net.ipv4.ip_forward": "1", "kernel.shmmax": "1", "fs.mqueue.msg_max": "9"] } == "valid")
    #expect(
      sandbox {
        $0.portMappings = [
          .with {
            $0.containerPort = 80; $0.hostPort = 8080
          }
        ]
      } == "valid")
  }

  @Test func aSandboxNeedsItsNames() {
    #expect(sandbox { $0.clearMetadata() } == "metadata: is missing")
    #expect(sandbox { $0.metadata.name = "" } == "metadata.name: is empty")
    #expect(sandbox { $0.metadata.uid = "" } == "metadata.uid: is empty")
    #expect(sandbox { $0.metadata.namespace = "a/b" } == "metadata.namespace: \"a/b\" has a \"/\"")
    #expect(sandbox { $0.metadata.name = "a\nb" } == "metadata.name: has a control character")
  }

  @Test func aSandboxsValuesAreChecked() {
    #expect(sandbox { $0.hostname = String(repeating: "a", count: 65) } == "hostname: 65 bytes, at most 64 are possible")
    #expect(sandbox { $0.hostname = "a\nb" }.hasPrefix("hostname:"))
    #expect(sandbox { $0.logDirectory = "logs" } == "log_directory: \"logs\" is not an absolute path")
    #expect(sandbox { $0.dnsConfig.servers = ["1.1.1.1\nnameserver 6.6.6.6"] } == "dns_config.servers[0]: has a control character")
    #expect(sandbox { $0.portMappings = [.with { $0.containerPort = 70000 }] } == "port_mappings[0].container_port: 70000 is no port")
    #expect(sandbox { $0.portMappings = [.with { $0.protocol = .UNRECOGNIZED(5) }] } == "port_mappings[0].protocol: there is no protocol 5")
    #expect(sandbox { $0.linux.cgroupParent = "/a/../\u{301}/.." }.hasSuffix("has a \"..\""))
    #expect(sandbox { $0.linux.cgroupParent = "/a/../.." } == "linux.cgroup_parent: \"/a/../..\" has a \"..\"")
    #expect(sandbox { $0.linux.overhead.cpuShares = -1 } == "linux.overhead.cpu_shares: -1 is not in 2...262144")
    #expect(sandbox { $0.linux.securityContext.namespaceOptions.network = .UNRECOGNIZED(9) }.contains("there is no namespace mode 9"))
    #expect(sandbox { $0.linux.securityContext.namespaceOptions.usernsOptions.mode = .pod }.hasSuffix("uids: nothing maps container ID 0"))
    #expect(sandbox { $0.linux.securityContext.supplementalGroupsPolicy = .UNRECOGNIZED(3) }.contains("no policy 3"))
    #expect(sandbox { $0.annotations = ["a": "\0"] } == "annotations[\"a\"]: has a NUL byte")
  }

  @Test func sysctlsMayNotReachTheHost() {
    #expect(sandbox { $0.linux.sysctls = ["vm.swappiness": "1"] }.contains("it would change the host"))
    #expect(sandbox { $0.linux.sysctls = ["net/../vm/swappiness": "1"] }.contains("is no sysctl"))
    #expect(sandbox { $0.linux.sysctls = ["kernel.hostname": "x"] }.contains("it would change the host"))
    let host = sandbox {
      $0.linux.sysctls = ["net.core.somaxconn": "1"]
      $0.linux.securityContext.namespaceOptions.network = .node
    }
    #expect(host == "linux.sysctls[\"net.core.somaxconn\"]: belongs to the host's network, which the pod uses")
  }

  @Test func aContainersValuesAreChecked() {
    #expect(container { $0.clearMetadata() } == "metadata: is missing")
    #expect(container { $0.metadata.name = "" } == "metadata.name: is empty")
    #expect(container { $0.command = ["a", "b\0"] } == "command[1]: has a NUL byte")
    #expect(container { $0.envs = [.with { $0.key = "" }] } == "envs[0].key: is empty")
    #expect(container { $0.envs = [.with { $0.key = "A=B" }] } == "envs[0].key: \"A=B\" has a \"=\"")
    #expect(
      container {
        $0.envs = [
          .with {
            $0.key = "A"; $0.value = Data([0])
          }
        ]
      } == "envs[0].value: the value of A has a NUL byte")
    #expect(container { $0.workingDir = "data" } == "working_dir: \"data\" is not an absolute path")
    #expect(container { $0.workingDir = "/" + String(repeating: "a", count: 256) }.hasPrefix("working_dir: \"/aaa"))
    #expect(container { $0.args = [String(repeating: "a", count: 131_072)] } == "args[0]: 131072 bytes, the kernel takes at most 131071")
    #expect(container { $0.logPath = "../../etc/cron.d/x" }.hasPrefix("log_path:"))
    #expect(container { $0.mounts = [.with { $0.containerPath = "a" }] } == "mounts[0].container_path: \"a\" is not an absolute path")
    #expect(container { $0.mounts = [.with { $0.containerPath = "/a" }] } == "mounts[0].host_path: is empty")
    #expect(
      container {
        $0.devices = [
          .with {
            $0.hostPath = "/d"; $0.permissions = "rx"
          }
        ]
      }.hasPrefix("devices[0].permissions: \"rx\""))
    #expect(container { $0.stopSignal = .UNRECOGNIZED(99) } == "stop_signal: there is no signal 99")
  }

  @Test func aContainersLimitsAndIDsAreChecked() {
    #expect(container { $0.linux.resources.memoryLimitInBytes = -5 } == "linux.resources.memory_limit_in_bytes: -5; -1 is unlimited")
    #expect(container { $0.linux.resources.oomScoreAdj = 1001 } == "linux.resources.oom_score_adj: 1001 is not in -1000...1000")
    #expect(container { $0.linux.resources.cpusetCpus = "0;1" }.hasPrefix("linux.resources.cpuset_cpus: \"0;1\""))
    #expect(container { $0.linux.resources.unified = ["../x": "1"] } == "linux.resources.unified[\"../x\"]: is no cgroup file")
    #expect(container { $0.linux.securityContext.runAsGroup.value = 1 << 31 }.contains("run_as_group: 2147483648 is no user or group ID"))
    #expect(container { $0.linux.securityContext.supplementalGroups = [1, -1] }.contains("supplemental_groups[1]: -1"))
    #expect(container { $0.linux.securityContext.supplementalGroupsPolicy = .UNRECOGNIZED(3) }.contains("no policy 3"))
    #expect(container { $0.linux.securityContext.maskedPaths = ["proc"] }.contains("masked_paths[0]"))
  }
}
