import CRIAPI
import GRPC
import Linux
import Support
import Testing

/// `[cni] check_after_setup` in a whole berthd.
@Suite(.serialized) struct NetworkCheckTests {
  /// A bridge whose CHECK fails as long as there is a file `broken`.
  private static let bridge = """
    #!/bin/sh
    [ "$CNI_COMMAND" = CHECK ] && echo checked >>@HERE@/calls
    if [ "$CNI_COMMAND" = CHECK ] && [ -e @HERE@/broken ]; then
      echo '{"cniVersion":"1.0.0","code":100,"msg":"the veth is gone"}'; exit 1
    fi
    exec /usr/lib/cni/bridge
    """

  @Test func `a pod whose network fails its CHECK is refused with the plugin's words, leaves nothing, and starts once it is well`()
    async throws
  {
    try await withScratch("checked") { here in
      try Files.write(Self.bridge.replacing("@HERE@", with: here), to: here + "/bridge", mode: 0o755)
      try Files.write("", to: here + "/broken")
      let settings = "check_after_setup = true\nbin_dirs = [\"\(here)\", \"/usr/lib/cni\"]\n"
      try await Node.with(settings: settings) { node in
        let config = try node.podConfig("checked")
        let status = await #expect(throws: GRPCStatus.self) { _ = try await node.run(config) }
        #expect(status?.message.contains("plugin \"bridge\" CHECK: the veth is gone") == true, "\(status?.message ?? "")")
        #expect(try await node.pods().isEmpty)
        let reserved = try Files.list(node.scratch + "/ipam/\(node.networkName)").filter { $0.hasPrefix("10.") }
        #expect(reserved.isEmpty)
        try Files.remove(here + "/broken")
        let pod = try await node.run(config)
        #expect(try await !node.status(pod: pod).network.ip.isEmpty)
        #expect(try Files.read(here + "/calls") == Array("checked\nchecked\n".utf8))
      }
    }
  }
}
