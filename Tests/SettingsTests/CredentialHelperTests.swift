import Core
import Linux
import Settings
import Support
import Testing

/// Credential helpers as programs.
@Suite(.serialized) struct CredentialHelperTests {
  /// Runs the helper `test`, a script.
  private func ask(
    _ script: String, server: String = "reg.example", times: Int = 1, timeout: Duration = .seconds(20), fallback: RegistryCredentials? = nil
  )
    async throws -> [RegistryCredentials?]
  {
    try await withScratch("helpers") { directory in
      try Files.write("#!/bin/sh\n" + script.replacing("DIR", with: directory), to: directory + "/docker-credential-test", mode: 0o755)
      let helpers = CredentialHelperPrograms(
        directories: ["/nonexistent", directory], environment: ["PATH=/bin:/usr/bin"], timeout: timeout)
      var answers: [RegistryCredentials?] = []
      for _ in 0..<times {
        answers.append(try await helpers.credentials(CredentialHelper("test", server: server, from: "hosts.toml", fallback: fallback)))
      }
      return answers
    }
  }

  private func failure(_ script: String, timeout: Duration = .seconds(20)) async -> Fault {
    do {
      _ = try await ask(script, timeout: timeout)
      return Fault(.unknown, "nothing was thrown")
    } catch { return Fault(error) }
  }

  private static let answer = #"cat > /dev/null; echo '{"ServerURL":"x","Username":"me","Secret":"s3cret"}'"#

  @Test func `it is run with get, the server on its input, and its answer taken`() async throws {
    let found = try await ask(
      #"[ "$*" = get ] && [ "$(cat)" = "https://index.docker.io/v1/" ] && echo '{"Username":"me","Secret":"s3cret"}'"#,
      server: "https://index.docker.io/v1/")
    #expect(found.map { $0?.username } == ["me"] && found.map { $0?.password } == ["s3cret"])
  }

  @Test func `the user <token> means an identity token`() async throws {
    let found = try await ask(#"echo '{"Username":"<token>","Secret":"refresh"}'"#)
    #expect(found.map { $0?.identityToken } == ["refresh"] && found.map { $0?.username } == [""])
  }

  @Test func `its answer is remembered`() async throws {
    let found = try await ask("echo x >> DIR/runs; [ $(wc -l < DIR/runs) = 1 ] || exit 9; " + Self.answer, times: 3)
    #expect(found.count == 3)
  }

  @Test func `many that ask at once run it once`() async throws {
    try await withScratch("helpers") { directory in
      try Files.write(
        "#!/bin/sh\necho x >> \(directory)/runs; sleep 0.2; \(Self.answer)", to: directory + "/docker-credential-test", mode: 0o755)
      let helpers = CredentialHelperPrograms(directories: [directory])
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<8 { group.addTask { _ = try await helpers.credentials(CredentialHelper("test", server: "r", from: "f")) } }
        try await group.waitForAll()
      }
      #expect(try Files.read(directory + "/runs").count == 2)
    }
  }

  @Test func `what was refused is asked for again`() async throws {
    try await withScratch("helpers") { directory in
      let script =
        "#!/bin/sh\necho x >> \(directory)/runs; echo \"{\\\"Username\\\":\\\"me\\\",\\\"Secret\\\":\\\"$(wc -l < \(directory)/runs)\\\"}\""
      try Files.write(script, to: directory + "/docker-credential-test", mode: 0o755)
      let helpers = CredentialHelperPrograms(directories: [directory])
      let helper = CredentialHelper("test", server: "r", from: "f")
      let first = try #require(try await helpers.credentials(helper))
      helpers.forget(helper, first)
      let second = try await helpers.credentials(helper)
      #expect(first.password == "1" && second?.password == "2")
      helpers.forget(helper, first)
      let third = try await helpers.credentials(helper)
      #expect(third?.password == "2", "an older refusal does not count")
    }
  }

  @Test func `a helper that knows nothing of the server leaves it to the file's own entry`() async throws {
    var fallback = RegistryCredentials()
    fallback.username = "own"
    let script = "echo credentials not found in native keychain; exit 1"
    let (none, own) = (try await ask(script), try await ask(script, fallback: fallback))
    #expect(none == [nil] && own == [fallback])
  }

  @Test func `errors name the helper, the file that names it, the server and the helper's words`() async {
    let failed = await failure("cat > /dev/null; echo no session, log in first; exit 3")
    #expect(failed.code == .unauthenticated)
    #expect(
      failed.message
        == "credential helper docker-credential-test (of hosts.toml) for reg.example: it failed (exited(3)): no session, log in first")
    let silent = await failure("echo from stderr >&2; exit 1")
    #expect(silent.message.hasSuffix(": from stderr"), "\(silent)")
    let nonsense = await failure("echo hello")
    #expect(nonsense.code == .failedPrecondition && nonsense.message.contains("its answer is not"), "\(nonsense)")
    let slow = await failure("exec sleep 60", timeout: .milliseconds(200))
    #expect(slow.code == .unavailable && slow.message.contains("no answer in 0.2 seconds"), "\(slow)")
  }

  @Test func `a helper that is not there is said with the places that were looked in`() async {
    let fault = await fault {
      _ = try await CredentialHelperPrograms(directories: ["/a", "/b"]).credentials(CredentialHelper("x", server: "r", from: "f"))
    }
    #expect(fault.code == .failedPrecondition)
    #expect(fault.message == "credential helper docker-credential-x (of f) for r: there is no such program in /a:/b")
    let path = await SettingsTests.fault {
      _ = try await CredentialHelperPrograms().credentials(CredentialHelper("/no/such", server: "r", from: "f"))
    }
    #expect(path.message.contains("credential helper /no/such (of f) for r: it cannot be started"), "\(path)")
  }

  @Test func `an answer shows up in no error`() async {
    let fault = await failure(#"echo '{"Username":5,"Secret":"s3cret"}'"#)
    #expect(!fault.message.contains("s3cret"), "\(fault)")
  }
}

/// The fault that `body` ends with.
func fault(isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Void) async -> Fault {
  do {
    try await body()
    return Fault(.unknown, "nothing was thrown")
  } catch {
    return Fault(error)
  }
}
