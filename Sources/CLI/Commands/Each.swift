/// Does one thing to each of several objects; one that fails does not keep the others from it.
/// Every failure is told when it happens, the command then fails as a whole.
func forEach(_ names: [String], console: Console = .standard, _ body: (String) async throws -> Void) async throws {
  var failures: [Failure] = []
  for name in names {
    do { try await body(name) } catch { failures.append(Failure(error)) }
  }
  guard let last = failures.popLast() else { return }
  for failure in failures { console.complain(failure.message) }
  throw last
}
