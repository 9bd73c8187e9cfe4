import Core
import Linux
import SwiftProtobuf
import TTRPC

/// The connection to one shim, made when first needed and made again after a loss.
actor ShimConnection {
  private enum State {
    case none
    /// Joined by everyone who needs the connection meanwhile.
    case connecting(Task<TTRPCClient, any Error>)
    case connected(TTRPCClient)
    /// For ever.
    case closed
  }

  private let files: ShimFiles
  private var state = State.none

  init(_ files: ShimFiles) { self.files = files }

  /// Throws ``TTRPCError`` of origin `connection`.
  func client() async throws -> TTRPCClient {
    switch state {
    case .closed: throw Self.failure("the shim is dead")
    case .connected(let client) where client.isConnected: return client
    case .connecting(let task): return try await task.value
    case .connected, .none: return try await connect()
    }
  }

  func close() {
    if case .connected(let client) = state { client.close() }
    state = .closed
  }

  private func connect() async throws -> TTRPCClient {
    let directory = files.directory
    let task = Task {
      do {
        let socket = try await BlockingWork.run { try UnixSocket.connect(in: directory, name: ShimFiles.socketName).release() }
        return try await TTRPCClient.adopt(socket: socket)
      } catch {
        throw Self.failure("\(error)")
      }
    }
    state = .connecting(task)
    do {
      let client = try await task.value
      return settle(client)
    } catch {
      if case .connecting = state { state = .none }
      throw error
    }
  }

  private static func failure(_ cause: String) -> TTRPCError { TTRPCError(.connection, code: 14, cause) }

  /// Closed meanwhile: the new client fails its first call, as it should.
  private func settle(_ client: TTRPCClient) -> TTRPCClient {
    if case .closed = state { client.close() } else { state = .connected(client) }
    return client
  }
}
