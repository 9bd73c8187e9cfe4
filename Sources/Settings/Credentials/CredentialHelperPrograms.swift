package import Core
import Linux
import OCI
import Synchronization

/// Runs docker's credential helpers (github.com/docker/docker-credential-helpers): `docker-credential-NAME get`, the server on standard input,
/// `{"ServerURL", "Username", "Secret"}` on standard output. What they answer is remembered for a while: a pod start asks no cloud twice.
package final class CredentialHelperPrograms: CredentialHelpers {
  private struct Answer: Decodable {
    let username: String?
    let secret: String?

    private enum CodingKeys: String, CodingKey {
      case username = "Username"
      case secret = "Secret"
    }
  }

  private struct Remembered {
    let credentials: RegistryCredentials?
    let until: ContinuousClock.Instant
  }

  private static let lifetime = Duration.seconds(300)
  /// Someone may be about to log in.
  private static let lifetimeOfNothing = Duration.seconds(10)
  private static let outputLimit = 256 << 10
  /// What helpers say where they know nothing of a server; all of them, for docker's own client looks for it.
  private static let notFound = "credentials not found in native keychain"

  private let directories: [String]
  private let environment: [String]
  private let timeout: Duration
  private let remembered = Mutex<[CredentialHelper: Remembered]>([:])
  private let running = Mutex<[CredentialHelper: Task<RegistryCredentials?, any Error>]>([:])

  /// - Parameters:
  ///   - directories: where helpers are looked for by name.
  ///   - environment: theirs, `NAME=value` each.
  package init(
    directories: [String] = Executables.searchPath, environment: [String] = ProcessEnvironment.strings, timeout: Duration = .seconds(30)
  ) {
    self.directories = directories
    self.environment = environment.contains { $0.hasPrefix("HOME=") } ? environment : environment + ["HOME=/root"]
    self.timeout = timeout
  }

  package func credentials(_ helper: CredentialHelper) async throws -> RegistryCredentials? {
    if let known = remembered.withLock({ $0[helper] }), known.until > .now { return known.credentials }
    let task = running.withLock { running in
      if let task = running[helper] { return task }
      let task = Task {
        defer { self.running.withLock { _ = $0.removeValue(forKey: helper) } }
        let found = try await stage("credential helper \(helper.name) (of \(helper.from)) for \(helper.server)") {
          try await self.ask(helper)
        }
        self.remember(found ?? helper.fallback, helper)
        return found ?? helper.fallback
      }
      running[helper] = task
      return task
    }
    return try await task.value
  }

  package func forget(_ helper: CredentialHelper, _ credentials: RegistryCredentials) {
    remembered.withLock { if $0[helper]?.credentials == credentials { $0[helper] = nil } }
  }

  private func remember(_ credentials: RegistryCredentials?, _ helper: CredentialHelper) {
    remembered.withLock { remembered in
      if remembered.count >= 256 { remembered.removeAll() }
      let lifetime = credentials == nil ? Self.lifetimeOfNothing : Self.lifetime
      remembered[helper] = Remembered(credentials: credentials, until: .now + lifetime)
    }
  }

  private func ask(_ helper: CredentialHelper) async throws -> RegistryCredentials? {
    let path = try program(helper)
    let output: Command.Output
    do {
      output = try await Command.run(
        path, ["get"], environment: environment, input: Array(helper.server.utf8), timeout: timeout, outputLimit: Self.outputLimit)
    } catch let error as SystemError { throw Fault(.failedPrecondition, "it cannot be started: \(error)", cause: error) }
    if output.ending == .timedOut { throw Fault(.unavailable, "no answer in \(timeout)") }
    guard output.succeeded else { return try explain(output) }
    guard let answer = try? JSONDocument.decode(Answer.self, from: output.stdout, as: "answer"), let user = answer.username,
      let secret = answer.secret
    else { throw Fault(.failedPrecondition, "its answer is not {\"Username\": …, \"Secret\": …}") }
    var credentials = RegistryCredentials()
    (credentials.username, credentials.password) = (user, secret)
    return credentials.isEmpty ? nil : credentials.withTokenName()
  }

  private func program(_ helper: CredentialHelper) throws(Fault) -> String {
    if helper.program.hasPrefix("/") { return helper.program }
    if let path = Executables.find(helper.name, in: directories) { return path }
    throw Fault(.failedPrecondition, "there is no such program in \(directories.joined(separator: ":"))")
  }

  /// Errors are on standard output by the protocol, on standard error by habit.
  private func explain(_ output: Command.Output) throws(Fault) -> RegistryCredentials? {
    let text = String(decoding: output.stdout.prefix(2000), as: UTF8.self)
    if text.contains(Self.notFound) { return nil }
    let words = [text, output.errorText].map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }.first { !$0.isEmpty }
    throw Fault(.unauthenticated, "it failed (\(output.ending)): \((words ?? "without a word").prefix(300))")
  }
}
