import CLinux
import Core
import Linux
import Logging
import Support
import Synchronization
import Testing

@testable import Streaming

/// A server of the test's own, and the sessions that were opened through it. Afterwards no descriptor is left.
final class Fixture: Sendable {
  let server: StreamingServer
  private let opened = Mutex<[ProcessSession]>([])

  private init(_ server: StreamingServer) { self.server = server }

  static func with(
    _ configure: (inout StreamingConfiguration) -> Void = { _ in }, _ body: (Fixture) async throws -> Void
  ) async throws {
    // The first of all makes things that stay: the client's event loops, the thread that waits for processes, the concurrency pool's timers.
    _ = try await Loopback.freePort()
    _ = try await ProcessSession.start("sleep 0.1", CommandStreams()).exit()
    try await Task.sleep(for: .milliseconds(1))
    let before = try OpenDescriptors.count()
    let namesBefore = try names()
    var configuration = StreamingConfiguration()
    configure(&configuration)
    let fixture = Fixture(try await StreamingServer.start(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
    do { try await body(fixture) } catch {
      await fixture.server.shutdown()
      throw error
    }
    await fixture.server.shutdown()
    fixture.opened.withLock { $0 = [] }
    let left = try await OpenDescriptors.settle(at: before)
    let namesLeft = try names()
    #expect(left <= before, "were \(namesBefore), are \(namesLeft)")
  }

  private static func names() throws -> [String] {
    try Files.list("/proc/self/fd").map { "\($0) \((try? Files.readLink("/proc/self/fd/" + $0)) ?? "")" }.sorted()
  }

  var port: Int {
    get throws { try SPDYClient.split(execURL("true", CommandStreams(stdout: true))).port }
  }

  var sessions: [ProcessSession] { opened.withLock { $0 } }

  func execURL(_ script: String, _ streams: CommandStreams) throws -> String {
    try server.url(for: .exec(streams, open: opener(script, streams)))
  }

  func attachURL(_ script: String, _ streams: CommandStreams) throws -> String {
    try server.url(for: .attach(streams, open: opener(script, streams)))
  }

  private func opener(_ script: String, _ streams: CommandStreams) -> @Sendable () async throws -> any StreamSession {
    {
      let session = try await ProcessSession.start(script, streams)
      self.opened.withLock { $0.append(session) }
      return session
    }
  }

  /// Runs a script as a client of exec with stdout and stderr.
  func exec(_ script: String) async throws -> (status: String, stdout: String, stderr: String) {
    let client = try await CommandClient.start(try execURL(script, CommandStreams(stdout: true, stderr: true)), ["stdout", "stderr"])
    let status = try await client.finish()
    return (status, client.text("stdout"), client.text("stderr"))
  }
}

/// Asks again until there is an answer; fails with `what` after so many seconds.
@discardableResult
func eventually<T>(_ what: String, within seconds: Int = 15, _ ask: () async throws -> T?) async throws -> T {
  let deadline = ContinuousClock.now + .seconds(seconds)
  while ContinuousClock.now < deadline {
    if let answer = try await ask() { return answer }
    try await Task.sleep(for: .milliseconds(10))
  }
  throw Fault(.deadlineExceeded, "\(what): not within \(seconds) s")
}
