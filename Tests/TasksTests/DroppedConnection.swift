import TTRPC
import Testing

@testable import Tasks

extension ShimClient {
  /// As if the shim had closed it; the next call connects anew.
  func dropConnection() async throws {
    let client = try await connection.client()
    client.close()
    try await eventually("the connection has ended") { !client.isConnected }
  }
}
