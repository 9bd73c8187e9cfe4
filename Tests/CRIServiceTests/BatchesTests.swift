import CRIAPI
import GRPC
import Logging
import Support
import SwiftProtobuf
import Synchronization
import Testing

@testable import CRIService

/// Long lists in several messages, as a client gets them over a socket.
@Suite struct BatchesTests {
  /// As many items of a size as it is made for, listed and gathered.
  private final class ListService: GRPCService {
    let name = "berth.test.Lists"
    let sizes: [Int]
    /// How many were gathered together, each time.
    let gathered = Mutex<[Int]>([])

    init(sizes: [Int]) { self.sizes = sizes }

    var methods: [GRPCMethod] {
      [
        .encodedStreaming("List") { (_: Google_Protobuf_Empty, _, writer) in
          try await Batches.send(self.sizes.indices, to: writer) { [self.item($0)] }
        },
        .encodedStreaming("Usage") { (_: Google_Protobuf_Empty, _, writer) in
          try await Batches.sendUsage(Array(self.sizes.indices), to: writer) { part in
            self.gathered.withLock { $0.append(part.count) }
            return part.map { [self.item($0)] }
          }
        },
      ]
    }

    /// Its number as ID, and an image's name of its size.
    private func item(_ number: Int) -> [UInt8] {
      Wire.encode(
        Runtime_V1_Container.with {
          $0.id = "\(number)"
          $0.imageRef = String(repeating: "x", count: sizes[number])
        })
    }
  }

  private typealias Part = Runtime_V1_StreamContainersResponse

  private func with(_ sizes: [Int], limit: Int = 16 << 20, _ body: (ListService, GRPCClient) async throws -> Void) async throws {
    try await withScratch("batches") { scratch in
      let service = ListService(sizes: sizes)
      var configuration = GRPCServerConfiguration(unixSocket: scratch + "/socket")
      configuration.maxResponseSize = limit
      let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
      let server = try await GRPCServer.start(configuration, services: [service], interceptors: [], logger: logger)
      let client = try await GRPCClient.connect(unixSocket: scratch + "/socket")
      do { try await body(service, client) } catch {
        await client.close()
        await server.shutdown(grace: .zero)
        throw error
      }
      await client.close()
      await server.shutdown(grace: .zero)
    }
  }

  private func all(_ method: String, _ client: GRPCClient) async throws -> [Part] {
    var parts: [Part] = []
    for try await part in try client.serverStreaming("/berth.test.Lists/" + method, Google_Protobuf_Empty(), returning: Part.self) {
      parts.append(part)
    }
    return parts
  }

  private func numbers(_ parts: [Part]) -> [Int] { parts.flatMap(\.containers).compactMap { Int($0.id) } }

  @Test func `figures are gathered 200 at a time, and sent before the next ones`() async throws {
    try await with(Array(repeating: 100, count: 450)) { service, client in
      let parts = try await all("Usage", client)
      #expect(parts.map(\.containers.count) == [200, 200, 50] && numbers(parts) == Array(0..<450))
      #expect(service.gathered.withLock { $0 } == [200, 200, 50])
    }
  }

  @Test func `a message is at most 256 KiB, but for an item that is more by itself`() async throws {
    var sizes = Array(repeating: 10_000, count: 210)
    sizes[100] = 300_000
    for method in ["List", "Usage"] {
      try await with(sizes) { _, client in
        let parts = try await all(method, client)
        #expect(numbers(parts) == Array(sizes.indices), "\(method)")
        for part in parts {
          let bytes: [UInt8] = try part.serializedBytes()
          #expect(bytes.count <= Batches.size || part.containers.map(\.id) == ["100"], "\(method): \(bytes.count)")
        }
        // Filled as far as they go: 26 items of this size, but for the messages around the large one and at the ends of parts.
        #expect(parts.filter { $0.containers.count == 26 }.count >= 6, "\(method): \(parts.map(\.containers.count))")
      }
    }
  }

  @Test func `a server's own limit for a message is kept, and an empty list is no message`() async throws {
    try await with(Array(repeating: 1000, count: 10), limit: 2500) { _, client in
      for method in ["List", "Usage"] {
        let parts = try await all(method, client)
        #expect(parts.map(\.containers.count) == [2, 2, 2, 2, 2], "\(method)")
      }
    }
    try await with([]) { service, client in
      for method in ["List", "Usage"] {
        let parts = try await all(method, client)
        #expect(parts.isEmpty, "\(method)")
      }
      #expect(service.gathered.withLock { $0 } == [])
    }
  }

  @Test func `a client that does not read stops the gathering, and has everything once it reads`() async throws {
    // 40 MB: what the stream's window, the sockets and the marks on the way take is far less.
    try await with(Array(repeating: 20_000, count: 2000)) { service, client in
      var iterator = try client.serverStreaming("/berth.test.Lists/Usage", Google_Protobuf_Empty(), returning: Part.self)
        .makeAsyncIterator()
      var parts = [try #require(try await iterator.next())]
      var (last, looks) = (0, 0)
      let stands = await eventually {
        let now = service.gathered.withLock { $0.count }
        (last, looks) = (now, now == last ? looks + 1 : 0)
        return looks > 200
      }
      #expect(stands && last < 7, "\(last) of 10 parts were gathered")
      while let part = try await iterator.next() { parts.append(part) }
      #expect(numbers(parts) == Array(0..<2000))
    }
  }
}
