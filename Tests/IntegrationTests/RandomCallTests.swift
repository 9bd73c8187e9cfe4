import CRIAPI
import Core
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

/// As ``RandomRequestTests``, of every other call that the two services have.
@Suite(.serialized) struct RandomCallTests {
  @Test(arguments: Load.seeds(from: 31)) func `calls of any content`(_ seed: UInt64) async throws {
    try await Node.with(settings: BusyNode.settings(seed)) { node in
      try await node.importBusybox()
      var mutation = WireMutation(seed: seed, texts: FullConfigs.texts)
      let subject = Subject(node: node)
      let definitions = try CRIDefinitions()
      let types = Dictionary(uniqueKeysWithValues: definitions.methods.map { ($0.path, $0.request) })
      for number in 0..<Load.number("BERTH_REQUESTS", usual: 48) / 4 {
        for (path, request) in try await subject.requests() {
          guard let message = try? Google_Protobuf_Empty(serializedBytes: mutation.mutate(request, changes: 1 + number % 2)),
            path != Subject.pull || Subject.staysHere(message)
          else { continue }
          do { try await subject.call(path, message) } catch let status as GRPCStatus {
            let changes = definitions.changes(of: types[path] ?? "", from: request, to: try message.serializedBytes())
            Refusal(method: path, changes: changes, status: status, seed: seed).check()
          }
        }
      }
      if try await node.images().isEmpty { try await node.importBusybox() }
      let good = try await node.launch("good", ["true"], in: try await node.run(try node.podConfig("good")))
      #expect(try await node.ended(good).exitCode == 0)
    }
  }
}
