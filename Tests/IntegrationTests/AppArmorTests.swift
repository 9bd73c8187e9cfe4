import CRIAPI
import Core
import GRPC
import Linux
import SwiftProtobuf
import Testing

/// `hack/vm` has a kernel with AppArmor, which a build machine may not have.
@Suite(.serialized) struct AppArmorTests {
  private static let script = """
    cat /proc/self/attr/current 2>/dev/null || echo none
    mkdir -p /there; mount -t tmpfs none /there 2>/dev/null && echo mounted; echo 1 2>/dev/null >/proc/sys/kernel/panic && echo host
    echo ok >/tmp/file && cat /tmp/file; exit 0
    """

  private func said(_ node: Node, _ pod: String, _ name: String, _ type: Runtime_V1_SecurityProfile.ProfileType) async throws -> [String] {
    let id = try await node.launch(name, ["sh", "-c", Self.script], in: pod) {
      $0.linux.securityContext.apparmor.profileType = type
      $0.linux.securityContext.capabilities.addCapabilities = ["SYS_ADMIN"]
    }
    #expect(try await node.ended(id).exitCode == 0)
    return try await node.log(id, of: pod).split(separator: "\n").map(String.init)
  }

  @Test func `RuntimeDefault confines a container and its execs where the kernel can, and a profile that is not there is an error`()
    async throws
  {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("armoured"))
      let confined = try await said(node, pod, "confined", .runtimeDefault)
      let free = try await said(node, pod, "free", .unconfined)
      if (try? Files.read("/sys/module/apparmor/parameters/enabled"))?.first == UInt8(ascii: "Y") {
        #expect(confined == ["berth-default (enforce)", "ok"], "\(confined)\n\(node.daemonLog())")
        #expect(free.first == "unconfined" && free.contains("mounted") && free.contains("host"), "\(free)")
        let id = try await node.launch("sleeper", ["sleep", "1000"], in: pod) {
          $0.linux.securityContext.apparmor.profileType = .runtimeDefault
        }
        let exec = try await node.exec(id, ["cat", "/proc/self/attr/current"])
        #expect(String(decoding: exec.stdout, as: UTF8.self) == "berth-default (enforce)\n")
        try await node.stop(container: id, timeout: 1)
        #expect(try await node.status(container: id).exitCode == 143)
      } else {
        #expect(confined == free && free.contains("ok"), "\(confined) \(free)")
      }
      await expectFault(.failedPrecondition, "no-such-profile") {
        _ = try await node.launch("named", ["true"], in: pod) {
          $0.linux.securityContext.apparmor = .with { ($0.profileType, $0.localhostRef) = (.localhost, "no-such-profile") }
        }
      }
    }
  }

  /// Looks like a kernel with AppArmor, whatever the machine's is.
  private static let seemingly = """
    mount -t tmpfs tmpfs /sys/module
    mkdir -p /sys/module/apparmor/parameters
    echo Y >/sys/module/apparmor/parameters/enabled
    echo ready >$1/ready
    exec sleep 100000
    """

  @Test(arguments: [false, true]) func `disable_apparmor makes a node one without AppArmor`(_ isDisabled: Bool) async throws {
    let settings = "[containers]\napparmor_profile = \"of-the-operator\"\ndisable_apparmor = \(isDisabled)\n"
    try await MountRealm.with(Self.seemingly) { launcher in
      try await Node.with(settings: settings, launcher: launcher) { node in
        try await node.importBusybox()
        let pod = try await node.run(try node.podConfig("armoured"))
        let config = node.containerConfig("main", ["true"]) { $0.linux.securityContext.apparmor.profileType = .runtimeDefault }
        let id = try await node.create(config, in: pod)
        // As berthd sees it, whose mounts are its own.
        let bundle = "/proc/\(try node.processID())/root\(node.state)/sandboxes/\(pod)/containers/\(id)"
        let spec = String(decoding: try Files.read(bundle + "/config.json"), as: UTF8.self)
        #expect(spec.contains(#""apparmorProfile":"of-the-operator""#) == !isDisabled)
        if !isDisabled { return }
        try await node.start(container: id)
        #expect(try await node.ended(id).exitCode == 0)
        await expectFault(.failedPrecondition, "linux.security_context.apparmor", "\"strict\"", "this node has no AppArmor") {
          _ = try await node.launch("named", ["true"], in: pod) {
            $0.linux.securityContext.apparmor = .with { ($0.profileType, $0.localhostRef) = (.localhost, "strict") }
          }
        }
      }
    }
  }
}
