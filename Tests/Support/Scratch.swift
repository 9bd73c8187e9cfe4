package import Linux

/// A fresh directory for one test, gone afterwards with all that is in it.
package func withScratch<T>(_ name: String = "test", _ body: (String) throws -> T) throws -> T {
  let path = try Scratch.make(name)
  defer { Scratch.remove(path) }
  return try body(path)
}

/// The asynchronous form of ``withScratch(_:_:)``.
package func withScratch<T>(
  _ name: String = "test", isolation: isolated (any Actor)? = #isolation, _ body: (String) async throws -> T
) async throws -> T {
  let path = try Scratch.make(name)
  defer { Scratch.remove(path) }
  return try await body(path)
}

package enum Scratch {
  package static func make(_ name: String) throws(SystemError) -> String {
    let path = "/tmp/berth-\(name)-\(UInt64.random(in: 0...UInt64.max))"
    try Files.makeDirectories(path)
    return path
  }

  /// Follows no symlink and crosses no mount: a test unmounts what it mounted.
  package static func remove(_ path: String) { try? Files.removeTree(path) }
}
