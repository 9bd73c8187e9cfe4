import CRIAPI
import Core
import GRPC
import Linux
import SwiftProtobuf
import Testing

/// The main job on real parts: a pod with containers from an image, on a CNI network, through runc, with log, exec, stop and removal.
@Suite(.serialized) struct PodLifecycleTests {
  @Test func `a container runs in a pod, its output is in its log, its exit code in its status`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("hello"))
      let container = try await node.launch("main", ["/bin/sh", "-c", "echo to stdout; echo to stderr >&2; exit 3"], in: pod)
      let status = try await node.ended(container)
      #expect(status.exitCode == 3)
      #expect(status.reason == "Error")
      #expect(status.startedAt > status.createdAt && status.finishedAt >= status.startedAt)
      let log = try await node.log(container, of: pod)
      #expect(log.contains("to stdout\n") && log.contains("to stderr\n"), "\(log)")
    }
  }

  @Test func `a pod has an address of its own and the container sees it`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("net"))
      let address = try await node.status(pod: pod).network.ip
      #expect(address.hasPrefix("10."))
      let container = try await node.launch("main", ["/bin/sleep", "1000"], in: pod)
      let shown = try await node.exec(container, ["/bin/sh", "-c", "ip -4 addr show eth0; hostname; cat /etc/hostname"])
      let text = String(decoding: shown.stdout, as: UTF8.self)
      #expect(text.contains(address) && text.contains("net\nnet\n"), "\(text) \(String(decoding: shown.stderr, as: UTF8.self))")
      // What a request to create repeats of the pod does not change it.
      let request = try Runtime_V1_CreateContainerRequest.with {
        ($0.podSandboxID, $0.config) = (pod, node.containerConfig("second", ["hostname"]))
        $0.sandboxConfig = try node.podConfig("net") { $0.hostname = "other" }
      }
      let second = try await node.runtime("CreateContainer", request, returning: Runtime_V1_CreateContainerResponse.self).containerID
      try await node.start(container: second)
      _ = try await node.ended(second)
      #expect(try await node.log(second, of: pod) == "net\n")
      let loopback = try await node.exec(container, ["/bin/sh", "-c", "ip link show lo"])
      #expect(String(decoding: loopback.stdout, as: UTF8.self).contains("UP"))
      let verbose = Runtime_V1_PodSandboxStatusRequest.with { ($0.podSandboxID, $0.verbose) = (pod, true) }
      let answer = try await node.runtime("PodSandboxStatus", verbose, returning: Runtime_V1_PodSandboxStatusResponse.self)
      let network = try JSON(parsing: Array((answer.info["info"] ?? "").utf8))["cniResult"]?["eth0"]
      #expect(network?["ips"]?.array?.first?["address"]?.string == address + "/24", "\(answer.info)")
    }
  }

  @Test func `stop sends the signal, waits, then kills; stop and remove of what is gone succeed`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("stop"))
      let polite = try await node.launch("polite", ["/bin/sh", "-c", "trap 'exit 7' TERM; while :; do sleep 0.05; done"], in: pod)
      let stubborn = try await node.launch("stubborn", ["/bin/sh", "-c", "trap '' TERM; while :; do sleep 0.05; done"], in: pod)
      try await eventually("traps are set") { try await node.exec(polite, ["true"]).exitCode == 0 ? true : nil }
      try await Task.sleep(for: .milliseconds(200))
      try await node.stop(container: polite, timeout: 10)
      #expect(try await node.status(container: polite).exitCode == 7)
      try await node.stop(container: stubborn, timeout: 1)
      #expect(try await node.status(container: stubborn).exitCode == 137)
      for _ in 0..<2 {
        try await node.stop(container: stubborn)
        try await node.remove(container: stubborn)
        try await node.stop(pod: pod)
        try await node.remove(pod: pod)
      }
      try await node.stop(pod: "0123456789abcdef")
      try await node.remove(container: "0123456789abcdef")
      #expect(try await node.pods().isEmpty)
      #expect(try await node.containers().isEmpty)
    }
  }

  @Test func `twenty pods started at once all run`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<20 {
          group.addTask {
            let pod = try await node.run(try node.podConfig("many\(number)"))
            _ = try await node.launch("main", ["/bin/sleep", "1000"], in: pod)
          }
        }
        try await group.waitForAll()
      }
      let states = try await node.containers().map(\.state)
      #expect(states.count == 20 && states.allSatisfy { $0 == .containerRunning })
      let addresses = try await withThrowingTaskGroup(of: String.self) { group in
        for pod in try await node.pods() { group.addTask { try await node.status(pod: pod.id).network.ip } }
        return try await group.reduce(into: Set<String>()) { $0.insert($1) }
      }
      #expect(addresses.count == 20)
    }
  }

  @Test func `a command that does not exist fails at start: StartError, 128, and the pod goes on`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("nocommand"))
      let container = try await node.create(node.containerConfig("main", ["/no/such/command"]), in: pod)
      let error = await #expect(throws: GRPCStatus.self) { try await node.start(container: container) }
      #expect(error?.message.contains("/no/such/command") == true, "\(error?.message ?? "")")
      let status = try await node.status(container: container)
      #expect(status.state == .containerExited && status.exitCode == 128 && status.reason == "StartError")
      #expect(status.message.contains("no such file or directory"))
      let second = try await node.launch("second", ["/bin/true"], in: pod)
      #expect(try await node.ended(second).reason == "Completed")
    }
  }

  @Test func `one PID namespace for the pod when asked for, host namespaces when asked for`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let shared = try await node.run(
        try node.podConfig("shared") {
          $0.linux.securityContext.namespaceOptions.pid = .pod
        })
      let first = try await node.launch("first", ["/bin/sleep", "1111"], in: shared) {
        $0.linux.securityContext.namespaceOptions.pid = .pod
      }
      let second = try await node.launch("second", ["/bin/sleep", "2222"], in: shared) {
        $0.linux.securityContext.namespaceOptions.pid = .pod
      }
      let seen = String(decoding: try await node.exec(first, ["ps"]).stdout, as: UTF8.self)
      #expect(seen.contains("1111") && seen.contains("2222"), "\(seen)")
      _ = second
      let host = try await node.run(
        try node.podConfig("host") {
          $0.linux.securityContext.namespaceOptions = .with {
            $0.network = .node
            $0.pid = .node
            $0.ipc = .node
          }
        })
      #expect(try await node.status(pod: host).network.ip == "")
      let container = try await node.launch("main", ["/bin/sleep", "1000"], in: host) {
        $0.linux.securityContext.namespaceOptions = .with {
          $0.network = .node
          $0.pid = .node
          $0.ipc = .node
        }
      }
      let same = try await node.exec(
        container, ["/bin/sh", "-c", "for kind in net ipc; do readlink /proc/self/ns/$kind; done"])
      let lines = String(decoding: same.stdout, as: UTF8.self).split(separator: "\n").map(String.init)
      #expect(lines.first == (try Files.readLink("/proc/self/ns/net")))
      #expect(lines.dropFirst().first == (try Files.readLink("/proc/self/ns/ipc")))
    }
  }
}
