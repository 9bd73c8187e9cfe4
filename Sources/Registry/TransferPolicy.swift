/// Limits and patience of the registry client.
package struct TransferPolicy: Sendable {
  /// The largest manifest or index taken, bytes.
  package var documentLimit = 8 << 20
  /// For a whole manifest or token, from request to last byte.
  package var documentTimeout = Duration.seconds(60)
  /// From sending a request to the head of its response.
  package var responseTimeout = Duration.seconds(30)
  /// For a connection where `hosts.toml` sets no `dial_timeout`.
  package var dialTimeout = Duration.seconds(10)
  /// Redirects followed for one request.
  package var redirectLimit = 10
  /// How often all hosts are asked while nothing has arrived.
  package var attempts = 5
  /// How often in a row a blob's transfer is taken up again without bringing `minimumProgress`.
  package var resumes = 9
  /// Bytes that make a broken connection count as progress.
  package var minimumProgress: Int64 = 4 << 10
  /// Pauses between attempts: random up to base × 2ⁿ, at most the cap.
  package var backoffBase = Duration.milliseconds(100)
  package var backoffCap = Duration.seconds(10)
  /// Blobs fetched from one host at a time, over all pulls; 0 for any number.
  package var downloadsPerHost = 8
  /// A registry that asks for a longer pause than this is not waited for.
  package var retryAfterCap = Duration.seconds(60)
  /// A connection that brings less than `stallBytes` in `stallWindow`, not counting time spent waiting for the reader, is given up and resumed.
  package var stallWindow = Duration.seconds(30)
  package var stallBytes = 30 << 10
  /// About how large the pieces of a blob are, bytes.
  package var chunkSize = 128 << 10

  package init() {}
}

/// Growing random pauses ("full jitter"), so that many clients of a failing registry do not come back all at once.
struct Backoff: Sendable {
  let base: Duration
  let cap: Duration

  func pause(_ round: Int) -> Duration { min(cap, base * (1 << min(round, 20))) * Double.random(in: 0...1) }
}
