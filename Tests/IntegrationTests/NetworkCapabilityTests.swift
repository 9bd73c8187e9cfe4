import CRIAPI
import Core
import GRPC
import Linux
import SwiftProtobuf
import Testing

/// What pods ask of their network, done by the reference plugins as Debian has them.
@Suite(.serialized, .timeLimit(.minutes(2))) struct NetworkCapabilityTests {
  private func output(_ words: String...) async throws -> String {
    let output = try await Command.run(words[0], Array(words.dropFirst()), timeout: .seconds(10))
    try #require(output.succeeded, "\(words): \(output.errorText)")
    return String(decoding: output.stdout, as: UTF8.self)
  }

  /// bridge, which takes a MAC, with static, which takes addresses, and bandwidth.
  private func configure(_ node: Node) throws {
    let bridge = #"""
      {"type": "bridge", "bridge": "\#(node.networkName)", "capabilities": {"mac": true, "ips": true}, "ipam": {"type": "static"}}
      """#
    let list = #"""
      {"cniVersion": "1.0.0", "name": "\#(node.networkName)", "plugins": [\#(bridge),
        {"type": "bandwidth", "capabilities": {"bandwidth": true}}]}
      """#
    try Files.write(list, to: node.networkConfig + "/10-test.conflist")
  }

  @Test func `a pod has the addresses and the MAC it asks for, and is as fast as it asks for in each direction`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      try configure(node)
      let pod = try await node.run(
        try node.podConfig("slow") {
          $0.annotations = [
            "kubernetes.io/ingress-bandwidth": "3M", "kubernetes.io/egress-bandwidth": "5M",
            "berth.dev/cni-ips": "10.95.0.77/24,fd95::77/64", "berth.dev/cni-mac": "02:42:0a:5f:00:4d",
          ]
        })
      let status = try await node.status(pod: pod)
      #expect(status.network.ip == "10.95.0.77" && status.network.additionalIps.map(\.ip) == ["fd95::77"])
      let inside = try await node.output("cat /sys/class/net/eth0/address; ip -o addr show eth0", in: pod)
      #expect(inside.hasPrefix("02:42:0a:5f:00:4d\n") && inside.contains("10.95.0.77/24") && inside.contains("fd95::77/64"), "\(inside)")
      let shaped = try await output("/usr/sbin/tc", "qdisc", "show").split(separator: "\n").filter { $0.contains("tbf") }
      // To the pod on the host's end of its pair, from it on a device that its traffic is mirrored to.
      #expect(shaped.count == 2, "\(shaped)")
      #expect(shaped.contains { $0.contains("dev veth") && $0.contains("rate 3Mbit") }, "\(shaped)")
      #expect(shaped.contains { $0.contains("dev bwp") && $0.contains("rate 5Mbit") }, "\(shaped)")
      try await node.remove(pod: pod)
      let left = try await output("/usr/sbin/tc", "qdisc", "show")
      #expect(!left.contains("tbf") && !left.contains("bwp") && !left.contains("veth"), "\(left)")
    }
  }
}
