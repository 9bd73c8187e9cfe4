import CRIAPI
import Core
import Linux
import Support
import SwiftProtobuf
import Testing

/// What kubelets read in answers, field by field.
@Suite(.serialized) struct AnswerTests {
  @Test func `the node says who it is, how it is, and what it can do`() async throws {
    try await Node.with { node in
      let request = Runtime_V1_VersionRequest.with { $0.version = "v1" }
      let version = try await node.runtime("Version", request, returning: Runtime_V1_VersionResponse.self)
      #expect(version.version == "0.1.0" && version.runtimeName == "berth")
      #expect(version.runtimeVersion == Release.version && version.runtimeApiVersion == "v1")
      let config = try await node.runtime(
        "RuntimeConfig", Runtime_V1_RuntimeConfigRequest(), returning: Runtime_V1_RuntimeConfigResponse.self)
      #expect(config.linux.cgroupDriver == (Node.hasSystemd ? .systemd : .cgroupfs))
      let status = try await status(node)
      #expect(status.status.conditions.map(\.type) == ["RuntimeReady", "NetworkReady"])
      #expect(status.status.conditions.allSatisfy { $0.status && $0.reason.isEmpty && $0.message.isEmpty })
      #expect(status.runtimeHandlers.map(\.name).contains("runc") && status.runtimeHandlers.allSatisfy { $0.hasFeatures })
      #expect(status.features.supplementalGroupsPolicy && status.features.mountOptions && status.info.isEmpty)
      #expect(try await !self.status(node, verbose: true).info.isEmpty)
      try Files.remove(node.networkConfig + "/10-test.conflist")
      let network = try #require(try await self.status(node).status.conditions.last)
      #expect(!network.status && network.reason == "NetworkPluginNotReady" && network.message.contains(node.networkConfig))
    }
  }

  private func status(_ node: Node, verbose: Bool = false) async throws -> Runtime_V1_StatusResponse {
    try await node.runtime("Status", Runtime_V1_StatusRequest.with { $0.verbose = verbose })
  }

  private func config(_ node: Node) -> Runtime_V1_ContainerConfig {
    node.containerConfig("whole", ["/bin/sh", "-c", "trap 'exit 3' USR1; echo ready; while :; do sleep 0.1; done"]) {
      $0.metadata.attempt = 7
      ($0.labels, $0.annotations, $0.stopSignal) = (["l": "1"], ["a": "2"], .sigusr1)
      $0.image.userSpecifiedImage = "busybox"
      $0.mounts = [
        .with { ($0.hostPath, $0.containerPath, $0.readonly, $0.mountOptions) = (node.scratch, "/data", true, ["noexec"]) },
        .with { ($0.containerPath, $0.readonly, $0.image.image, $0.imageSubPath) = ("/image", true, Node.busybox, "etc") },
      ]
      $0.linux.resources.memoryLimitInBytes = 64 << 20
      $0.linux.securityContext.runAsUser.value = 1000
      $0.linux.securityContext.runAsGroup.value = 2000
      $0.linux.securityContext.supplementalGroups = [5, 6]
    }
  }

  @Test func `a container's status and its line in lists have all that it was made of, and what became of it`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let (config, image) = (config(node), try #require(try await node.images().first))
      let pod = try await node.run(try node.podConfig("answers"))
      let before = SystemClock.realtimeNanoseconds()
      let id = try await node.create(config, in: pod)
      let made = try await node.status(container: id)
      #expect(made.id == id && made.metadata == config.metadata && made.labels == config.labels && made.annotations == config.annotations)
      #expect(made.state == .containerCreated && made.createdAt > before && made.startedAt == 0 && made.finishedAt == 0)
      #expect(made.imageID == image.id && image.repoDigests.contains(made.imageRef) && made.stopSignal == .sigusr1)
      #expect(made.logPath == "\(node.logs)/answers/whole.log" && made.resources.linux.memoryLimitInBytes == 64 << 20)
      #expect(made.user.linux.uid == 1000 && made.user.linux.gid == 2000 && made.user.linux.supplementalGroups.sorted() == [5, 6, 2000])
      #expect(made.mounts.map(\.containerPath) == ["/data", "/image"] && made.mounts.allSatisfy(\.readonly))
      #expect(made.mounts[0].hostPath == node.scratch && made.mounts[0].mountOptions == ["noexec"])
      #expect(made.mounts[1].image.image == Node.busybox && made.mounts[1].imageSubPath == "etc")
      let listed = try #require(try await node.containers().first)
      #expect(listed.id == id && listed.podSandboxID == pod && listed.metadata == config.metadata && listed.state == .containerCreated)
      #expect(listed.labels == config.labels && listed.annotations == config.annotations && listed.createdAt == made.createdAt)
      #expect(listed.imageID == image.id && listed.imageRef == made.imageRef && listed.image.image == config.image.image)
      try await node.start(container: id)
      let running = try await node.status(container: id)
      #expect(running.state == .containerRunning && running.startedAt > running.createdAt && running.finishedAt == 0)
      let verbose = Runtime_V1_ContainerStatusRequest.with { ($0.containerID, $0.verbose) = (id, true) }
      let told = try await node.runtime("ContainerStatus", verbose, returning: Runtime_V1_ContainerStatusResponse.self)
      let info = try JSON(parsing: Array((told.info["info"] ?? "").utf8))
      #expect(info["runtimeSpec"]?["process"]?["args"]?.array?.first?.string == "/bin/sh", "\(told.info)")
      #expect(info["config"]?["logPath"]?.string == "whole.log" && info["sandboxID"]?.string == pod)
      let pid = try #require(info["pid"]?.integer)
      #expect(Files.exists("/proc/\(pid)"))
      try await eventually("the trap is set") { try await node.log(id, of: pod).contains("ready") ? true : nil }
      try await node.stop(container: id)
      let ended = try await node.status(container: id)
      #expect(ended.state == .containerExited && ended.finishedAt > running.startedAt && ended.startedAt == running.startedAt)
      #expect(ended.exitCode == 3 && ended.reason == "Error")
    }
  }

  @Test func `another attempt is another pod, and another container`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      var pods: Set<String> = []
      var containers: Set<String> = []
      for attempt in 0..<2 as Range<UInt32> {
        pods.insert(try await node.run(try node.podConfig("again") { $0.metadata.attempt = attempt }))
        let pod = try #require(pods.first)
        containers.insert(try await node.create(node.containerConfig("again", ["true"]) { $0.metadata.attempt = attempt }, in: pod))
      }
      #expect(pods.count == 2 && containers.count == 2)
    }
  }

  @Test(arguments: [
    ("ipv4", "10.99.0.7", "fd00::7"), ("ipv6", "fd00::7", "10.99.0.7"), ("cni", "fd00::7", "10.99.0.7"),
  ])
  func `a pod with addresses of both families shows the one first that the node prefers, the others beside it`(
    _ preference: String, _ first: String, _ second: String
  ) async throws {
    try await Node.with(settings: "ip_pref = \"\(preference)\"\n") { node in
      try node.usePlugins(in: node.scratch + "/bin")
      try await node.restart()
      let addresses = #"{"interface":0,"address":"fd00::7/64"},{"interface":0,"address":"10.99.0.7/24"}"#
      let result = #"{"cniVersion":"1.0.0","interfaces":[{"name":"eth0","sandbox":"'$CNI_NETNS'"}],"ips":[\#(addresses)]}"#
      try Files.makeDirectories(node.scratch + "/bin")
      try Files.write("#!/bin/sh\n[ $CNI_COMMAND = ADD ] && echo '\(result)'\nexit 0\n", to: node.scratch + "/bin/both", mode: 0o755)
      let list = #"{"cniVersion":"1.0.0","name":"\#(node.networkName)","plugins":[{"type":"both"}]}"#
      try Files.write(list, to: node.networkConfig + "/10-test.conflist")
      let pod = try await node.run(try node.podConfig("both"))
      for _ in 0..<2 {
        let network = try await node.status(pod: pod).network
        #expect(network.ip == first && network.additionalIps.map(\.ip) == [second])
        try await node.restart()
      }
    }
  }

  @Test func `an image tells its user, and what pulls said of it`() async throws {
    try await withLocalRegistry { registry in
      let image = ServedImage([try await PackedLayer([.file("a", "b")])])
      try registry.add(blob: image.config, to: "app")
      for layer in image.layers { try registry.add(blob: layer.blob, to: "app") }
      try registry.add(manifest: image.manifest, to: "app", tag: "1")
      try await Node.with { node in
        for (user, id, name) in [("1000:5", 1000, ""), ("nobody", nil, "nobody")] as [(String, Int64?, String)] {
          try await node.importBusybox("--user", user)
          let image = try #require(try await node.images().first)
          #expect(image.hasUid == (id != nil) && image.uid.value == id ?? 0 && image.username == name)
          try await node.removeImage(image.id)
        }
        let request = Runtime_V1_PullImageRequest.with {
          ($0.image.image, $0.image.annotations, $0.image.runtimeHandler) = (registry.authority + "/app:1", ["said": "so"], "runc")
        }
        _ = try await node.image("PullImage", request, returning: Runtime_V1_PullImageResponse.self)
        let pulled = try #require(try await node.images().first)
        #expect(pulled.spec.annotations == ["said": "so"] && pulled.spec.image == registry.authority + "/app:1")
      }
    }
  }
}
