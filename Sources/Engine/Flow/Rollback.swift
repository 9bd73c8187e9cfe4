import Core
package import Logging

/// What to undo, newest first, where an operation fails half-way. Every step runs, whatever the others do; failures are logged with the step's name.
package struct Rollback: Sendable {
  private var steps: [(name: String, undo: @Sendable () async throws -> Void)] = []

  package init() {}

  package mutating func add(_ name: String, _ undo: @escaping @Sendable () async throws -> Void) {
    steps.append((name, undo))
  }

  /// True where nothing is left of what the steps undo.
  @discardableResult
  package func run(_ logger: Logger) async -> Bool {
    var succeeded = true
    for step in steps.reversed() {
      do { try await step.undo() } catch {
        succeeded = false
        logger.error("rollback: \(step.name): \(Fault(error))")
      }
    }
    return succeeded
  }
}
