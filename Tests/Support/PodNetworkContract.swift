package import Core
import Testing

/// What every ``PodNetwork`` does, fakes included. `makeNamespace` gives the path of a fresh network namespace each time.
package struct PodNetworkContract {
  private let network: any PodNetwork
  private let makeNamespace: () async throws -> String

  package init(_ network: any PodNetwork, makeNamespace: @escaping () async throws -> String) {
    self.network = network
    self.makeNamespace = makeNamespace
  }

  package func check() async throws {
    try await network.status()
    try await attachesAndDetaches()
    try await detachingTheUnknownSucceeds()
    try await aRepeatedAttachmentGetsTheFirstOnesResult()
    try await manyAtOnceGetAddressesOfTheirOwn()
    #expect(try network.attachments().isEmpty)
    #expect(network.pending().isEmpty)
  }

  private func attachment() async throws -> NetworkAttachment {
    let id = Identifier.random()
    return NetworkAttachment(
      sandboxID: id, netnsPath: try await makeNamespace(), podName: "pod-\(id.prefix(6))", podNamespace: "default",
      podUID: "uid-\(id.prefix(6))")
  }

  private func attachesAndDetaches() async throws {
    let attachment = try await attachment()
    let result = try await network.attach(attachment)
    #expect(!result.addresses.isEmpty && !result.addresses[0].contains("/"))
    #expect(try network.attachments() == [attachment.sandboxID])
    try await network.detach(attachment.sandboxID, netnsPath: attachment.netnsPath)
    #expect(try network.attachments().isEmpty)
    try await network.detach(attachment.sandboxID, netnsPath: attachment.netnsPath)
  }

  private func detachingTheUnknownSucceeds() async throws {
    try await network.detach(Identifier.random(), netnsPath: "/run/netns/none")
    try await network.detach(Identifier.random(), netnsPath: nil)
  }

  private func aRepeatedAttachmentGetsTheFirstOnesResult() async throws {
    let attachment = try await attachment()
    let first = try await network.attach(attachment)
    #expect(try await network.attach(attachment) == first)
    try await network.detach(attachment.sandboxID, netnsPath: nil)
  }

  private func manyAtOnceGetAddressesOfTheirOwn() async throws {
    var attachments: [NetworkAttachment] = []
    for _ in 0..<5 { attachments.append(try await attachment()) }
    let addresses = try await withThrowingTaskGroup(of: [String].self) { group in
      for attachment in attachments { group.addTask { [network] in try await network.attach(attachment).addresses } }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    #expect(Set(addresses).count == addresses.count && addresses.count >= attachments.count)
    #expect(try network.attachments() == attachments.map(\.sandboxID).sorted())
    try await withThrowingTaskGroup(of: Void.self) { group in
      for attachment in attachments {
        group.addTask { [network] in try await network.detach(attachment.sandboxID, netnsPath: attachment.netnsPath) }
      }
      try await group.waitForAll()
    }
  }
}
