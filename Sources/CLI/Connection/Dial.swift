import Core
import GRPC
import Linux
import SwiftProtobuf

/// Connects to berthd.
enum Dial {
  /// The connection is closed when `body` ends, whatever way.
  static func withConnection<T>(_ path: String, namespace: String?, _ body: (any Connection) async throws -> T) async throws -> T {
    let client = try await connect(path)
    var metadata = GRPCMetadata()
    if let namespace { metadata.add("berth-namespace", namespace) }
    do {
      let result = try await body(SocketConnection(client: client, metadata: metadata))
      await client.close()
      return result
    } catch {
      await client.close()
      throw error
    }
  }

  private static func connect(_ path: String) async throws -> GRPCClient {
    guard Files.exists(path) else {
      throw Failure("cannot reach berthd: there is no socket at \(path) ('systemctl start berthd' starts it)")
    }
    do { return try await GRPCClient.connect(unixSocket: path) } catch {
      let remedy = Environment.isRoot ? "'systemctl start berthd' starts it" : "its socket is root's: try as root"
      throw Failure("cannot reach berthd: \(error.message) (\(remedy))")
    }
  }
}

/// A connection over berthd's socket.
private struct SocketConnection: Connection {
  let client: GRPCClient
  /// Of every call.
  let metadata: GRPCMetadata

  func call<Answer: Message>(_ method: Method, _ request: some Message, timeout: Duration?) async throws -> Answer {
    do { return try await client.unary(method.path, request, metadata: metadata, timeout: timeout) } catch { throw Self.fault(error) }
  }

  func stream<Answer: Message>(_ method: Method, _ request: some Message, _ body: (Answer) async throws -> Void) async throws {
    do {
      for try await answer in try client.serverStreaming(method.path, request, returning: Answer.self, metadata: metadata) {
        try await body(answer)
      }
    } catch let status as GRPCStatus {
      throw Self.fault(status)
    }
  }

  private static func fault(_ status: GRPCStatus) -> Fault {
    Fault(Fault.Code(rawValue: status.code.rawValue) ?? .unknown, status.message)
  }
}
