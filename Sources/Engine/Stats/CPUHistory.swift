/// Processor time of one cgroup at two moments, from which the rate at a third one follows.
struct CPUHistory: Sendable, Hashable {
  struct Sample: Sendable, Hashable {
    /// Nanoseconds of the monotonic clock.
    var at: Int64
    /// Nanoseconds of processor time since the group was made.
    var time: UInt64
  }

  /// A rate over less time than this says more about the scheduler than about the load.
  static let shortest: Int64 = 500_000_000

  private var older: Sample?
  private var newer: Sample?

  init() {}

  /// A group that began at `start`, on the same clock, having used nothing.
  init(start: Int64) { newer = Sample(at: start, time: 0) }

  mutating func add(_ sample: Sample) {
    if let newer, sample.at - newer.at < Self.shortest { return }
    (older, newer) = (newer, sample)
  }

  /// 10^9 is one whole processor. Nil while nothing earlier is known.
  func nanoCores(at now: Sample) -> UInt64? {
    guard let base = [newer, older].compactMap({ $0 }).first(where: { now.at - $0.at >= Self.shortest }) ?? older ?? newer else {
      return nil
    }
    guard now.at > base.at, now.time >= base.time else { return nil }
    return UInt64(Double(now.time - base.time) * 1e9 / Double(now.at - base.at))
  }
}
