import Core

/// What the calls on a pod wait for that is being found again: its shim, once the records agree with it.
struct Arrival: Sendable {
  /// Ends when ``tell(_:)`` was called.
  let flight: Flight<any PodTask>
  private let news: AsyncStream<Result<any PodTask, any Error>>.Continuation

  init() {
    let (stream, news) = AsyncStream<Result<any PodTask, any Error>>.makeStream()
    self.news = news
    flight = Flight {
      for await result in stream { return try result.get() }
      throw CancellationError()
    }
  }

  func tell(_ result: Result<any PodTask, any Error>) {
    news.yield(result)
    news.finish()
  }
}
