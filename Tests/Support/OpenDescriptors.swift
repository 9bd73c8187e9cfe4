package import Linux

/// Descriptors of this process, for tests that must not leave any open.
package enum OpenDescriptors {
  package static func count() throws(SystemError) -> Int { try Files.list("/proc/self/fd").count }

  /// Waits until there are no more than `count`; answers how many there are in the end.
  package static func settle(at count: Int, within limit: Duration = .seconds(10)) async throws -> Int {
    let deadline = ContinuousClock.now + limit
    while try self.count() > count, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(10)) }
    return try self.count()
  }
}
