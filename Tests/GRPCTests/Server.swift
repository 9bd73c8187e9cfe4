import GRPC
import Linux
import Logging
import Support
import SwiftProtobuf
import Testing

/// A server with the echo and health services on a socket of its own, for one test.
struct Server {
  let path: String
  let echo: EchoService
  let health: HealthService
  let server: GRPCServer

  static func with(
    _ change: (inout GRPCServerConfiguration) -> Void = { _ in }, services: [any GRPCService] = [],
    interceptors: [any GRPCInterceptor] = [],
    _ body: (Server) async throws -> Void
  ) async throws {
    try await withScratch("grpc") { directory in
      let path = directory + "/test.sock"
      var configuration = GRPCServerConfiguration(unixSocket: path)
      change(&configuration)
      let (echo, health) = (EchoService(), HealthService(["berth.test.Echo"]))
      var logger = Logger(label: "test")
      logger.logLevel = .critical
      let server = try await GRPCServer.start(
        configuration, services: [echo, health] + services, interceptors: interceptors, logger: logger)
      do {
        try await body(Server(path: path, echo: echo, health: health, server: server))
      } catch {
        await server.shutdown(grace: .zero)
        throw error
      }
      await server.shutdown(grace: .zero)
    }
  }

  /// A client of the server, closed afterwards.
  func client(_ configuration: GRPCClientConfiguration = .init(), _ body: (GRPCClient) async throws -> Void) async throws {
    let client = try await GRPCClient.connect(unixSocket: path, configuration: configuration)
    do {
      try await body(client)
    } catch {
      await client.close()
      throw error
    }
    await client.close()
  }
}

/// The status `body` fails with; `nil` where it does not fail.
func status(of body: () async throws -> some Any) async -> GRPCStatus? {
  do {
    _ = try await body()
    return nil
  } catch { return GRPCStatus(error) }
}

/// A good call is answered well: whatever came before has harmed nobody.
func expectAnswer(_ client: GRPCClient) async throws {
  let request = Google_Protobuf_StringValue("good")
  let answer = try await client.unary("/berth.test.Echo/Echo", request, returning: Google_Protobuf_StringValue.self)
  #expect(answer == request)
}
