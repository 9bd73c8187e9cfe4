import CRIAPI
import Core
import GRPC
import Linux
import OCI
import Support
import SwiftProtobuf
import Testing

/// Seccomp profiles that come from a registry.
@Suite(.serialized, .timeLimit(.minutes(5))) struct SeccompArtifactTests {
  private static let profile =
    #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}"#

  private func add(_ text: String, tag: String, to registry: LocalRegistry) throws {
    let (empty, bytes) = (Array("{}".utf8), Array(text.utf8))
    try registry.add(blob: empty, to: "test/profile")
    let layer = Descriptor(
      mediaType: "application/json", digest: try registry.add(blob: bytes, to: "test/profile"), size: Int64(bytes.count),
      annotations: ["org.opencontainers.image.title": "profile.json"])
    let config = Descriptor(
      mediaType: "application/vnd.cncf.seccomp-profile.config.v1+json", digest: .sha256(of: empty), size: Int64(empty.count))
    try registry.add(manifest: JSONDocument.encode(Manifest(config: config, layers: [layer])), to: "test/profile", tag: tag)
  }

  @Test func `a profile is pulled for the container that its pod names it for, where that is allowed`() async throws {
    try await withLocalRegistry { registry in
      try add(Self.profile, tag: "1", to: registry)
      try add("no profile", tag: "broken", to: registry)
      let settings = "[runtimes.open]\ninherit_default_runtime = true\nallowed_annotations = [\"seccomp-profile.crio.io\"]\n"
      try await Node.with(settings: settings) { node in
        try await node.importBusybox()
        let name = registry.authority + "/test/profile"
        func pod(_ number: Int, _ annotations: [String: String], _ handler: String = "open") async throws -> String {
          let config = try node.podConfig("artifact-\(number)") {
            $0.annotations = annotations
            $0.linux.securityContext.namespaceOptions.network = .node
          }
          return try await node.run(config, handler)
        }
        func said(_ pod: String, _ type: Runtime_V1_SecurityProfile.ProfileType? = nil) async throws -> String {
          let id = try await node.launch("main", ["sh", "-c", "mkdir /x 2>/dev/null && echo made || echo refused"], in: pod) {
            $0.logPath = "\(Int.random(in: 0..<1_000_000)).log"
            if let type { $0.linux.securityContext.seccomp.profileType = type }
          }
          _ = try await node.ended(id)
          let log = try await node.log(id, of: pod)
          try await node.remove(container: id)
          return log
        }
        let named = try await pod(1, ["seccomp-profile.crio.io/main": name + ":1"])
        let (unset, unconfined) = (try await said(named), try await said(named, .unconfined))
        let standard = try await said(named, .runtimeDefault)
        #expect(unset == "refused\n" && unconfined == "refused\n" && standard == "made\n")
        #expect(node.daemonLog().contains("has no effect: its security context names one"))
        #expect(try await node.images().contains { $0.repoTags == [name + ":1"] })
        let all = try await said(try await pod(2, ["seccomp-profile.kubernetes.cri-o.io/POD": name + ":1"]))
        let other = try await said(try await pod(3, ["seccomp-profile.crio.io/other": name + ":1"]))
        let closed = try await said(try await pod(4, ["seccomp-profile.crio.io/main": name + ":1"], ""))
        #expect(all == "refused\n" && other == "made\n" && closed == "made\n")
        let broken = try await pod(5, ["seccomp-profile.crio.io/POD": name + ":broken"])
        await expectFault(.invalidArgument, name + ":broken", "not valid JSON") { _ = try await said(broken) }
        let missing = try await pod(6, ["seccomp-profile.crio.io/POD": name + ":none"])
        await expectFault(.notFound, "seccomp profile", name + ":none") { _ = try await said(missing) }
        let image = try await pod(7, ["seccomp-profile.crio.io/POD": Node.busybox])
        await expectFault(.failedPrecondition, "seccomp profile", "no artifact") { _ = try await said(image) }
      }
    }
  }
}
