extension BlockingWork {
  package enum Urgency: Sendable {
    /// A caller waits for it.
    case now
    /// As ``runInBackground(_:)``.
    case background
  }

  /// Runs `body` on batches of `items`, each batch on a thread of its own, side by side. The results are in the order of the items.
  package static func inBatches<Item: Sendable, Result: Sendable>(
    of size: Int, _ items: [Item], _ urgency: Urgency = .now, _ body: @escaping @Sendable ([Item]) -> Result
  ) async -> [Result] {
    let batches = stride(from: 0, to: items.count, by: size).map { Array(items[$0..<min(items.count, $0 + size)]) }
    if batches.count == 1 { return [await run(urgency) { body(batches[0]) }] }
    return await withTaskGroup(of: (Int, Result).self) { group in
      for (number, batch) in batches.enumerated() {
        group.addTask { (number, await run(urgency) { body(batch) }) }
      }
      var results: [(Int, Result)] = []
      for await result in group { results.append(result) }
      return results.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }

  private static func run<T: Sendable>(_ urgency: Urgency, _ body: @escaping @Sendable () -> T) async -> T {
    switch urgency {
    case .now: await run(body)
    case .background: await runInBackground(body)
    }
  }
}
