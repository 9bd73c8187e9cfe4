/// Waiting that ends.
package enum Bounded {
  /// Whether `body` was over within the time; where it was not, it is left to itself.
  package static func wait(_ time: Duration, for body: @escaping @Sendable () async -> Void) async -> Bool {
    let (ends, continuation) = AsyncStream<Bool>.makeStream()
    let work = Task {
      await body()
      continuation.yield(true)
    }
    let timer = Task {
      try? await Task.sleep(for: time)
      continuation.yield(false)
    }
    defer { for task in [work, timer] { task.cancel() } }
    for await isOver in ends { return isOver }
    return false
  }
}
