import Core

/// Connects to berthd.
enum Dial {
  static func withConnection<T>(_ path: String, _ body: (any Connection) async throws -> T) async throws -> T {
    throw Failure("cannot reach berthd at \(path): this build has no transport")
  }
}
