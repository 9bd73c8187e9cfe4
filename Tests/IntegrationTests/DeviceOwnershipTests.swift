import CRIAPI
import Core
import GRPC
import Linux
import SwiftProtobuf
import Testing

/// `device_ownership_from_security_context`, in pods whose user namespace is the node's.
@Suite(.serialized, .timeLimit(.minutes(2))) struct DeviceOwnershipTests {
  private struct User {
    var id: Int64?
    var group: Int64?
  }

  /// What a container of this user says of a device that on the host is 5:6's alone: its owner, and what two bytes of it read as.
  private func said(on node: Node, as user: User) async throws -> String {
    let pod = try await node.run(
      try node.podConfig("devices-\(user.id ?? -1)-\(user.group ?? -1)") { $0.linux.securityContext.namespaceOptions.network = .node })
    return try await node.output("stat -c %u:%g:%a /dev/own; head -c 2 /dev/own 2>/dev/null | wc -c", in: pod) {
      $0.devices = [.with { ($0.hostPath, $0.containerPath, $0.permissions) = (node.scratch + "/own", "/dev/own", "rw") }]
      if let id = user.id { $0.linux.securityContext.runAsUser.value = id }
      if let group = user.group { $0.linux.securityContext.runAsGroup.value = group }
    }
  }

  private func with(_ settings: String, _ body: (Node) async throws -> Void) async throws {
    try await Node.with(settings: settings) { node in
      try await node.importBusybox()
      let make = "mknod -m 0600 \(node.scratch)/own c 1 5 && chown 5:6 \(node.scratch)/own"
      try #require(try await Command.run("/bin/sh", ["-c", make], timeout: .seconds(10)).succeeded)
      try await body(node)
    }
  }

  @Test func `a device is its user's and group's where the node says so, and what the pod does not name stays the host's`() async throws {
    try await with("[containers]\ndevice_ownership_from_security_context = true\n") { node in
      let expected = [
        (User(id: 1000, group: 2000), "1000:2000:600\n2\n"), (User(id: 1000), "1000:6:600\n2\n"), (User(), "5:6:600\n2\n"),
      ]
      for (user, text) in expected {
        let said = try await said(on: node, as: user)
        #expect(said == text, "\(user)")
      }
    }
  }

  @Test func `otherwise it is the host's owner's, and another user has nothing of it`() async throws {
    try await with("") { node in
      let said = try await said(on: node, as: User(id: 1000, group: 2000))
      #expect(said == "5:6:600\n0\n")
    }
  }
}
