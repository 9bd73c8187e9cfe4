import Core
import NIOCore
import NIOPosix

/// TCP on 127.0.0.1, for tests.
package enum Loopback {
  /// A port that nobody listened on a moment ago.
  package static func freePort() async throws -> Int {
    let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup).bind(host: "127.0.0.1", port: 0).get()
    let port = channel.localAddress?.port ?? 0
    try await channel.close()
    return port
  }

  /// Returns when something listens on `port`; throws when `failure` gives a reason why nothing will, or after 20 seconds.
  package static func waitForListener(
    _ port: Int, isolation: isolated (any Actor)? = #isolation, failure: () -> String?
  ) async throws {
    let deadline = ContinuousClock.now + .seconds(20)
    while await !isListening(port) {
      if let reason = failure() { throw Fault(.unavailable, "nothing listens on port \(port): \(reason)") }
      if ContinuousClock.now > deadline { throw Fault(.deadlineExceeded, "nothing listens on port \(port)") }
      try await Task.sleep(for: .milliseconds(10))
    }
  }

  private static func isListening(_ port: Int) async -> Bool {
    let connection = try? await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup).connect(host: "127.0.0.1", port: port).get()
    try? await connection?.close()
    return connection != nil
  }
}
