import Synchronization

/// Levels for pods: two categories each (multi-category security), so that no pod can touch another's files.
package final class SELinuxLevels: Sendable {
  /// Given to pods that are not on record yet.
  private let given = Mutex<Set<String>>([])
  private let categories: Int
  private static let remembered = 4096

  /// - Parameter categories: how many of them, from c0 on, are for pods; at least 2.
  package init(categories: Int) { self.categories = categories }

  /// One that is in use nowhere, as far as there are any left.
  package func next(besides used: Set<String>) -> String {
    given.withLock { given in
      if given.count >= Self.remembered { given = [] }
      var level = random()
      for _ in 0..<Self.remembered where used.contains(level) || given.contains(level) { level = random() }
      given.insert(level)
      return level
    }
  }

  private func random() -> String {
    let first = Int.random(in: 0..<categories)
    let second = (first + Int.random(in: 1..<categories)) % categories
    return "s0:c\(min(first, second)),c\(max(first, second))"
  }
}
