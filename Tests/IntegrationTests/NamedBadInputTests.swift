import CRIAPI
import Core
import FoundationEssentials
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

/// Requests that a client can get wrong, each by its name: the code is right, the message names field and value, and the pod goes on.
/// Host paths that never answer are in ``HangingHostTests``, generated requests in ``RandomRequestTests`` and ``RandomCallTests``.
@Suite(.serialized, .timeLimit(.minutes(5))) struct NamedBadInputTests {
  private typealias Change = (inout Runtime_V1_ContainerConfig) -> Void
  private typealias PodChange = (inout Runtime_V1_PodSandboxConfig) -> Void

  private func refuse(_ cases: [(GRPCStatus.Code, [String], Change)], in pod: String, on node: Node) async throws {
    for (number, (code, words, change)) in cases.enumerated() {
      let error = await #expect(throws: GRPCStatus.self, "\(words)") {
        _ = try await node.create(node.containerConfig("bad-\(number)", ["true"], change), in: pod)
      }
      #expect(error?.code == code, "\(words): \(error.map { "\($0)".prefix(400) } ?? "")")
      for word in words { #expect(error?.message.contains(word) == true, "\(word) is not in: \(error?.message.prefix(600) ?? "")") }
      #expect(error?.message.utf8.count ?? 0 < 4096)
    }
  }

  private func refuse(_ cases: [([String], PodChange)], on node: Node) async throws {
    for (words, change) in cases {
      let error = await #expect(throws: GRPCStatus.self, "\(words)") { _ = try await node.run(try node.podConfig("bad", change)) }
      #expect(error?.code == .invalidArgument, "\(words): \(error.map { "\($0)".prefix(400) } ?? "")")
      for word in words { #expect(error?.message.contains(word) == true, "\(word) is not in: \(error?.message.prefix(600) ?? "")") }
      #expect(error?.message.utf8.count ?? 0 < 4096)
    }
  }

  /// A node with a pod on which every request is tried; afterwards a good one works and nothing is left but that pod.
  private func with(settings: String = "", _ body: (Node, String) async throws -> Void) async throws {
    try await Node.with(settings: settings) { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("good") { $0.linux.securityContext.namespaceOptions.network = .node })
      try await body(node, pod)
      #expect(try await node.containers().isEmpty)
      #expect(try await node.pods().map(\.id) == [pod])
      #expect(try await node.output("echo fine", in: pod) == "fine\n")
    }
  }

  private func update(_ id: String, on node: Node, _ change: (inout Runtime_V1_UpdateContainerResourcesRequest) -> Void) async throws {
    var request = Runtime_V1_UpdateContainerResourcesRequest.with { $0.containerID = id }
    change(&request)
    _ = try await node.runtime("UpdateContainerResources", request, returning: Runtime_V1_UpdateContainerResourcesResponse.self)
  }

  @Test func `enums out of range`() async throws {
    try await with { node, pod in
      try await refuse(
        [
          (
            .invalidArgument, ["mounts[0]", "propagation", "9"],
            { $0.mounts = [.with { ($0.hostPath, $0.containerPath, $0.propagation) = ("/tmp", "/x", .UNRECOGNIZED(9)) }] }
          ),
          (.invalidArgument, ["namespace_options.pid", "9"], { $0.linux.securityContext.namespaceOptions.pid = .UNRECOGNIZED(9) }),
          (.invalidArgument, ["namespace_options.ipc", "-1"], { $0.linux.securityContext.namespaceOptions.ipc = .UNRECOGNIZED(-1) }),
          (.invalidArgument, ["seccomp.profile_type", "7"], { $0.linux.securityContext.seccomp.profileType = .UNRECOGNIZED(7) }),
          (.invalidArgument, ["apparmor.profile_type", "7"], { $0.linux.securityContext.apparmor.profileType = .UNRECOGNIZED(7) }),
          (
            .invalidArgument, ["supplemental_groups_policy", "5"], { $0.linux.securityContext.supplementalGroupsPolicy = .UNRECOGNIZED(5) }
          ),
          (.invalidArgument, ["stop_signal", "99"], { $0.stopSignal = .UNRECOGNIZED(99) }),
          (
            .invalidArgument, ["userns_options.mode", "8"],
            { $0.linux.securityContext.namespaceOptions.usernsOptions.mode = .UNRECOGNIZED(8) }
          ),
        ], in: pod, on: node)
      try await refuse(
        [
          (["namespace_options.network", "9"], { $0.linux.securityContext.namespaceOptions.network = .UNRECOGNIZED(9) }),
          (["seccomp.profile_type", "7"], { $0.linux.securityContext.seccomp.profileType = .UNRECOGNIZED(7) }),
          (["apparmor.profile_type", "7"], { $0.linux.securityContext.apparmor.profileType = .UNRECOGNIZED(7) }),
          (["supplemental_groups_policy", "5"], { $0.linux.securityContext.supplementalGroupsPolicy = .UNRECOGNIZED(5) }),
          (["port_mappings[0].protocol", "9"], { $0.portMappings = [.with { ($0.protocol, $0.containerPort) = (.UNRECOGNIZED(9), 80) }] }),
        ], on: node)
      await expectFault(.invalidArgument, "9") {
        let request = Runtime_V1_ListContainersRequest.with { $0.filter.state.state = .UNRECOGNIZED(9) }
        _ = try await node.runtime("ListContainers", request, returning: Runtime_V1_ListContainersResponse.self)
      }
      await expectFault(.invalidArgument, "9") {
        let request = Runtime_V1_ListPodSandboxRequest.with { $0.filter.state.state = .UNRECOGNIZED(9) }
        _ = try await node.runtime("ListPodSandbox", request, returning: Runtime_V1_ListPodSandboxResponse.self)
      }
    }
  }

  @Test func `what this node or the image cannot have`() async throws {
    try await with { node, pod in
      let volume = node.scratch + "/volume"
      try Files.makeDirectories(volume)
      try Files.write("", to: node.scratch + "/file")
      try await refuse(
        [
          (.failedPrecondition, ["linux.resources.cpuset_cpus", "0-4000", "processors 0"], { $0.linux.resources.cpusetCpus = "0-4000" }),
          (.failedPrecondition, ["linux.resources.cpuset_mems", "1023", "memory nodes"], { $0.linux.resources.cpusetMems = "1023" }),
          (
            .invalidArgument, ["linux.resources.unified[\"cgroup.procs\"]", "no limit"],
            { $0.linux.resources.unified = ["cgroup.procs": "1"] }
          ),
          (
            .invalidArgument, ["mounts[0] (/etc/passwd/x).container_path", "/etc/passwd is no directory"],
            { $0.mounts = [.with { ($0.hostPath, $0.containerPath) = (volume, "/etc/passwd/x") }] }
          ),
          (
            .invalidArgument, ["mounts[0] (/etc/passwd).container_path", volume],
            { $0.mounts = [.with { ($0.hostPath, $0.containerPath) = (volume, "/etc/passwd") }] }
          ),
          (
            .invalidArgument, ["mounts[0] (/bin).container_path", node.scratch + "/file"],
            { $0.mounts = [.with { ($0.hostPath, $0.containerPath) = (node.scratch + "/file", "/bin") }] }
          ),
          (
            .invalidArgument, ["devices[0].container_path", "/etc/passwd"],
            { $0.devices = [.with { ($0.hostPath, $0.containerPath, $0.permissions) = ("/dev/zero", "/etc/passwd/zero", "r") }] }
          ),
          (.invalidArgument, ["working_dir", "/etc/passwd"], { $0.workingDir = "/etc/passwd/below" }),
        ], in: pod, on: node)
    }
  }

  @Test func `negative numbers, and such as overflow`() async throws {
    try await with { node, pod in
      try await refuse(
        [
          (.invalidArgument, ["memory_limit_in_bytes", "-5"], { $0.linux.resources.memoryLimitInBytes = -5 }),
          (.invalidArgument, ["cpu_period", "\(Int64.max)"], { $0.linux.resources.cpuPeriod = .max }),
          (.invalidArgument, ["cpu_quota", "\(Int64.min)"], { $0.linux.resources.cpuQuota = .min }),
          (.invalidArgument, ["cpu_shares", "-1"], { $0.linux.resources.cpuShares = -1 }),
          (.invalidArgument, ["cpu_shares", "262145"], { $0.linux.resources.cpuShares = 262_145 }),
          (
            .invalidArgument, ["hugepage_limits[0].page_size", "+2MB"],
            { $0.linux.resources.hugepageLimits = [.with { $0.pageSize = "+2MB" }] }
          ),
          (.invalidArgument, ["supplemental_groups", "65537"], { $0.linux.securityContext.supplementalGroups = Array(0...65536) }),
          (.invalidArgument, ["oom_score_adj", "1001"], { $0.linux.resources.oomScoreAdj = 1001 }),
          (.invalidArgument, ["cpuset_cpus", "99999999999"], { $0.linux.resources.cpusetCpus = "99999999999" }),
          (.invalidArgument, ["run_as_user", "-1"], { $0.linux.securityContext.runAsUser.value = -1 }),
          (
            .invalidArgument, ["run_as_group", "\(Int64.max)"],
            {
              $0.linux.securityContext.runAsUser.value = 1
              $0.linux.securityContext.runAsGroup.value = .max
            }
          ),
          (.invalidArgument, ["supplemental_groups[1]", "4294967296"], { $0.linux.securityContext.supplementalGroups = [1, 1 << 32] }),
          (
            .invalidArgument, ["mounts[0]", "uidMappings[0].length", "is 0"],
            {
              let range = Runtime_V1_IDMapping.with { ($0.hostID, $0.length) = (100_000, 0) }
              $0.mounts = [.with { ($0.hostPath, $0.containerPath, $0.uidMappings, $0.gidMappings) = ("/tmp", "/x", [range], [range]) }]
            }
          ),
          (
            .invalidArgument, ["mounts[0]", "uidMappings[0]", "4294967295"],
            {
              let range = Runtime_V1_IDMapping.with { ($0.hostID, $0.length) = (.max, 2) }
              $0.mounts = [.with { ($0.hostPath, $0.containerPath, $0.uidMappings, $0.gidMappings) = ("/tmp", "/x", [range], [range]) }]
            }
          ),
        ], in: pod, on: node)
      let elsewhere = Runtime_V1_PullImageRequest.with { ($0.image.image, $0.image.runtimeHandler) = ("busybox", "none") }
      await expectFault(.invalidArgument, "image.runtime_handler", "\"none\" is not configured") {
        _ = try await node.image("PullImage", elsewhere, returning: Runtime_V1_PullImageResponse.self)
      }
      try await refuse(
        [
          (["port_mappings[0]", "70000"], { $0.portMappings = [.with { ($0.containerPort, $0.hostPort) = (70000, 80) }] }),
          (["port_mappings[0].host_ip", "10.0.0"], { $0.portMappings = [.with { ($0.containerPort, $0.hostIp) = (80, "10.0.0") }] }),
          (
            ["port_mappings[1].host_port", "8080"],
            { $0.portMappings = [80, 81].map { port in .with { ($0.containerPort, $0.hostPort) = (port, 8080) } } }
          ),
          (
            ["sysctls", "net.ipv4.ip_forward", "nonsense", "Invalid argument"],
            { ($0.linux.sysctls, $0.linux.securityContext.namespaceOptions.network) = (["net.ipv4.ip_forward": "nonsense"], .pod) }
          ),
          (["sysctls", "net.no.such", "No such file"], { $0.linux.sysctls = ["net.no.such": "1"] }),
          (
            ["sysctls", "net.ipv4.ip_forward", "5000 bytes"],
            { $0.linux.sysctls = ["net.ipv4.ip_forward": String(repeating: "1", count: 5000)] }
          ),
          (["overhead.cpu_shares", "-1"], { $0.linux.overhead.cpuShares = -1 }),
          (
            ["userns_options.uids[0]", "4294967295"],
            {
              let range = Runtime_V1_IDMapping.with { ($0.hostID, $0.length) = (1, .max) }
              $0.linux.securityContext.namespaceOptions.usernsOptions = .with { ($0.mode, $0.uids, $0.gids) = (.pod, [range], [range]) }
            }
          ),
        ], on: node)
      let id = try await node.launch("stopped", ["sleep", "1000"], in: pod)
      await expectFault(.invalidArgument, "timeout", "-1") { try await node.stop(container: id, timeout: -1) }
      await expectFault(.invalidArgument, "timeout", "-1") { _ = try await node.exec(id, ["true"], timeout: -1) }
      try await node.stop(container: id, timeout: 0)
      try await node.remove(container: id)
    }
  }

  @Test func `NUL bytes and strings of a megabyte`() async throws {
    let long = String(repeating: "x", count: 1 << 20)
    try await with { node, pod in
      try await refuse(
        [
          (.invalidArgument, ["command[1]", "NUL"], { $0.command = ["sh", "a\0b"] }),
          (
            .invalidArgument, ["envs[0].value", "SECRET", "NUL"], { $0.envs = [.with { ($0.key, $0.value) = ("SECRET", Data([65, 0])) }] }
          ),
          (.invalidArgument, ["working_dir", "NUL"], { $0.workingDir = "/\0" }),
          (.invalidArgument, ["labels", "NUL"], { $0.labels = ["a": "\0"] }),
          (.invalidArgument, ["log_path"], { $0.logPath = long }), (.invalidArgument, ["log_path", "a/."], { $0.logPath = "a/." }),
          (.invalidArgument, ["log_path", "a/"], { $0.logPath = "a/" }),
          (.invalidArgument, ["metadata.name"], { $0.metadata.name = long }),
          (.invalidArgument, ["image"], { $0.image.image = long }),
          (.invalidArgument, ["mounts[0].host_path"], { $0.mounts = [.with { ($0.hostPath, $0.containerPath) = ("/" + long, "/x") }] }),
          (.invalidArgument, ["run_as_username"], { $0.linux.securityContext.runAsUsername = long }),
          (.invalidArgument, ["envs[0].key"], { $0.envs = [.with { $0.key = "A=B" }] }),
          (.invalidArgument, ["command[2]", "1048576 bytes"], { $0.command = ["echo", "a", long] }),
          (.invalidArgument, ["envs[0] (BIG)", "1048580 bytes"], { $0.envs = [.with { ($0.key, $0.value) = ("BIG", Data(long.utf8)) }] }),
        ], in: pod, on: node)
      try await refuse(
        [
          (["metadata.name"], { $0.metadata.name = long }), (["metadata.uid", "NUL"], { $0.metadata.uid = "\0" }),
          (["hostname"], { $0.hostname = long }), (["log_directory"], { $0.logDirectory = "/" + long }),
          (["dns_config.servers[0]"], { $0.dnsConfig.servers = ["1.1.1.1\nnameserver 2.2.2.2"] }),
          (["linux.cgroup_parent"], { $0.linux.cgroupParent = "/" + long }), (["metadata"], { $0.clearMetadata() }),
          (["linux.cgroup_parent", "control character"], { $0.linux.cgroupParent = "/a\nb" }),
        ], on: node)
      // What is only kept may be as long as a message.
      let id = try await node.create(node.containerConfig("long", ["true"]) { $0.annotations = ["a": long] }, in: pod)
      #expect(try await node.status(container: id).annotations["a"]?.utf8.count == 1 << 20)
      try await node.remove(container: id)
      let sleeper = try await node.launch("sleeper", ["sleep", "1000"], in: pod)
      await expectFault(.invalidArgument, "cmd[1]", "1048576") { _ = try await node.exec(sleeper, ["echo", long]) }
      try await node.stop(container: sleeper, timeout: 0)
      try await node.remove(container: sleeper)
    }
  }

  @Test func `bytes that are not UTF-8 where the proto says string`() async throws {
    try await with { node, pod in
      // CreateContainerRequest { config (2) { labels (9) or annotations (10) { key (1): not UTF-8 } } }; StopContainerRequest { container_id (1) }.
      let bad: [UInt8] = [0x0a, 0x02, 0xc3, 0x28]
      let requests: [(String, [UInt8])] = [
        ("CreateContainer", [0x0a, UInt8(pod.utf8.count)] + Array(pod.utf8) + [0x12, 0x06, 0x4a, 0x04] + bad),
        ("StopContainer", bad), ("RunPodSandbox", [0x0a, 0x06, 0x0a, 0x04] + bad), ("ListContainers", [0x0a, 0x04] + bad),
      ]
      for (method, bytes) in requests {
        let message = try Google_Protobuf_Empty(serializedBytes: bytes)
        let error = await #expect(throws: GRPCStatus.self, "\(method)") {
          _ = try await node.runtime(method, message, returning: Google_Protobuf_Empty.self)
        }
        #expect(error?.code == .invalidArgument && error?.message.contains("UTF-8") == true, "\(method): \(error.map { "\($0)" } ?? "")")
      }
    }
  }

  @Test func `options that contradict each other`() async throws {
    try await with { node, pod in
      let mount = { (change: (inout Runtime_V1_Mount) -> Void) in
        var mount = Runtime_V1_Mount.with { ($0.hostPath, $0.containerPath) = (node.scratch, "/x") }
        change(&mount)
        return [mount]
      }
      try await refuse(
        [
          (.invalidArgument, ["mounts[0]", "recursive_read_only", "readonly"], { $0.mounts = mount { $0.recursiveReadOnly = true } }),
          (
            .invalidArgument, ["mounts[0]", "recursive_read_only", "PRIVATE"],
            {
              $0.mounts = mount { ($0.recursiveReadOnly, $0.readonly, $0.propagation) = (true, true, .propagationHostToContainer) }
            }
          ),
          (.invalidArgument, ["mounts[0].host_path", "image"], { $0.mounts = mount { $0.image.image = Node.busybox } }),
          (.invalidArgument, ["mounts[0]", "mount_options", "suid"], { $0.mounts = mount { $0.mountOptions = ["suid"] } }),
          (.invalidArgument, ["target_id", "TARGET"], { $0.linux.securityContext.namespaceOptions.targetID = pod }),
          (.invalidArgument, ["windows"], { $0.windows.resources.cpuCount = 1 }),
          (
            .invalidArgument, ["run_as_username", "root", "run_as_user 5"],
            { ($0.linux.securityContext.runAsUsername, $0.linux.securityContext.runAsUser.value) = ("root", 5) }
          ),
          (
            .invalidArgument, ["seccomp.localhost_ref", "/x", "Localhost"],
            { $0.linux.securityContext.seccomp = .with { ($0.profileType, $0.localhostRef) = (.runtimeDefault, "/x") } }
          ),
          (.invalidArgument, ["apparmor.localhost_ref", "empty"], { $0.linux.securityContext.apparmor.profileType = .localhost }),
          (
            .invalidArgument, ["devices[0].container_path", "/."],
            { $0.devices = [.with { ($0.hostPath, $0.containerPath) = ("/dev/null", "/.") }] }
          ),
          (.invalidArgument, ["memory_swap_limit_in_bytes", "4096"], { $0.linux.resources.memorySwapLimitInBytes = 4096 }),
          (
            .invalidArgument, ["hugepage_limits[1]", "2MB"],
            { $0.linux.resources.hugepageLimits = Array(repeating: .with { $0.pageSize = "2MB" }, count: 2) }
          ),
          (
            .invalidArgument, ["mounts[0].uidMappings", "image"],
            {
              let range = Runtime_V1_IDMapping.with { $0.length = 1 }
              $0.mounts = [
                .with {
                  ($0.containerPath, $0.image.image, $0.readonly, $0.uidMappings, $0.gidMappings) = (
                    "/x", Node.busybox, true, [range], [range]
                  )
                }
              ]
            }
          ),
          (.invalidArgument, ["privileged"], { $0.linux.securityContext.privileged = true }),
          (
            .invalidArgument, ["userns_options", "pod's"],
            {
              let range = Runtime_V1_IDMapping.with { ($0.hostID, $0.length) = (100_000, 65536) }
              $0.linux.securityContext.namespaceOptions.usernsOptions = .with { ($0.mode, $0.uids, $0.gids) = (.pod, [range], [range]) }
            }
          ),
          (.invalidArgument, ["run_as_group"], { $0.linux.securityContext.runAsGroup.value = 5 }),
          (
            .invalidArgument, ["memory_swap_limit_in_bytes", "1048576", "2097152"],
            {
              ($0.linux.resources.memoryLimitInBytes, $0.linux.resources.memorySwapLimitInBytes) = (2 << 20, 1 << 20)
            }
          ),
        ], in: pod, on: node)
      let range = Runtime_V1_IDMapping.with { ($0.hostID, $0.length) = (100_000, 65536) }
      let users = Runtime_V1_UserNamespace.with { ($0.mode, $0.uids, $0.gids) = (.pod, [range], [range]) }
      try await refuse(
        [
          (
            ["namespace_options.pid", "NODE"],
            { ($0.linux.securityContext.namespaceOptions.usernsOptions, $0.linux.securityContext.namespaceOptions.pid) = (users, .node) }
          ),
          (
            ["userns_options.uids[1]", "container_id 5"],
            {
              let ranges = [(0, 100_000), (5, 300_000)].map { inside, outside in
                Runtime_V1_IDMapping.with { ($0.containerID, $0.hostID, $0.length) = (inside, outside, 10) }
              }
              $0.linux.securityContext.namespaceOptions.usernsOptions = .with { ($0.mode, $0.uids, $0.gids) = (.pod, ranges, ranges) }
            }
          ),
          (["windows"], { $0.windows.securityContext.runAsUsername = "a" }),
          (["target_id", "of-another", "TARGET"], { $0.linux.securityContext.namespaceOptions.targetID = "of-another" }),
          (
            ["seccomp.localhost_ref", "relative"],
            { $0.linux.securityContext.seccomp = .with { ($0.profileType, $0.localhostRef) = (.localhost, "relative") } }
          ),
          (["seccomp_profile_path", "nonsense"], { $0.linux.securityContext.seccompProfilePath = "nonsense" }),
          (["apparmor.localhost_ref", "empty"], { $0.linux.securityContext.apparmor.profileType = .localhost }),
          (
            ["namespace_options.ipc", "NODE"],
            { ($0.linux.securityContext.namespaceOptions.usernsOptions, $0.linux.securityContext.namespaceOptions.ipc) = (users, .node) }
          ),
          (
            ["sysctls", "net.core.somaxconn", "host's network"],
            {
              ($0.linux.sysctls, $0.linux.securityContext.namespaceOptions.network) = (["net.core.somaxconn": "1"], .node)
            }
          ),
        ], on: node)
    }
  }

  @Test func `a cgroup parent that cannot be is named, and limits of a running container that mean nothing`() async throws {
    try await with { node, pod in
      await expectFault(.failedPrecondition, "linux.cgroup_parent", "cgroup.procs") {
        _ = try await node.run(try node.podConfig("bad") { $0.linux.cgroupParent = Node.cgroup + "/cgroup.procs" })
      }
      let id = try await node.launch("limited", ["sleep", "1000"], in: pod)
      await expectFault(.invalidArgument, "linux.cpu_shares", "1 is") { try await update(id, on: node) { $0.linux.cpuShares = 1 } }
      await expectFault(.invalidArgument, "windows") { try await update(id, on: node) { $0.windows.cpuCount = 1 } }
      await expectFault(.invalidArgument, "annotations[\"a\"]", "NUL") { try await update(id, on: node) { $0.annotations = ["a": "\0"] } }
      try await node.stop(container: id, timeout: 0)
      try await node.remove(container: id)
    }
  }

  @Test func `seccomp profiles that are none, CDI specs that are broken`() async throws {
    try await withScratch("cdi") { scratch in
      try await with(settings: "[cdi]\nspec_dirs = [\"\(scratch)\"]\n") { node, pod in
        let profile = { (name: String, text: String) -> Change in
          let path = "\(scratch)/\(name)"
          try? Files.write(text, to: path)
          return { $0.linux.securityContext.seccomp = .with { ($0.profileType, $0.localhostRef) = (.localhost, path) } }
        }
        let device: Change = { $0.cdiDevices = [.with { $0.name = "vendor.com/net=one" }] }
        try Files.write(#"{"cdiVersion": "0.6.0", "kind": "vendor.com/net", "devices": ["#, to: scratch + "/broken.json")
        try Files.makeDirectories(scratch + "/directory.json")
        try await refuse(
          [
            (.invalidArgument, ["text.seccomp", "not valid JSON"], profile("text.seccomp", "no profile")),
            (
              .invalidArgument, ["action.seccomp", "defaultAction", "SCMP_ACT_PANIC"],
              profile("action.seccomp", #"{"defaultAction": "SCMP_ACT_PANIC"}"#)
            ),
            (.invalidArgument, ["empty.seccomp", "defaultAction is missing"], profile("empty.seccomp", "{}")),
            (
              .notFound, ["/no/such/profile"],
              { $0.linux.securityContext.seccomp = .with { ($0.profileType, $0.localhostRef) = (.localhost, "/no/such/profile") } }
            ),
            (
              .failedPrecondition, ["seccomp.localhost_ref", "/dev/zero", "no regular file"],
              { $0.linux.securityContext.seccomp = .with { ($0.profileType, $0.localhostRef) = (.localhost, "/dev/zero") } }
            ),
            (
              .failedPrecondition, ["seccomp.localhost_ref", "\(scratch): is no regular file"],
              { $0.linux.securityContext.seccomp = .with { ($0.profileType, $0.localhostRef) = (.localhost, scratch) } }
            ),
            (.failedPrecondition, ["vendor.com/net=one", "/broken.json", "not valid JSON"], device),
            (.failedPrecondition, ["vendor.com/net=one", "/directory.json: is no regular file"], device),
            (.invalidArgument, ["CDI_devices[0]", "nonsense"], { $0.cdiDevices = [.with { $0.name = "nonsense" }] }),
          ], in: pod, on: node)
        // What a profile names and this kernel does not know is left out.
        let newer = #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["of_the_future"], "action": "SCMP_ACT_ERRNO"}]}"#
        #expect(try await node.output("echo runs", in: pod, profile("newer.seccomp", newer)) == "runs\n")
        #expect(node.daemonLog().contains("of_the_future"))
      }
    }
  }
}
