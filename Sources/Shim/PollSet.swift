import CLinux

/// Descriptors to wait for, made anew for every wait.
struct PollSet {
  private var entries: [pollfd] = []

  mutating func clear() { entries.removeAll(keepingCapacity: true) }

  /// Its place, for `isReady`. -1 is never ready; an error or the other side's end always is.
  mutating func add(_ fd: Int32, _ events: Int32) -> Int {
    entries.append(pollfd(fd: fd, events: Int16(truncatingIfNeeded: events), revents: 0))
    return entries.count - 1
  }

  /// How many are ready: 0 after `timeout` ms or where a signal came.
  mutating func wait(_ timeout: Int32) -> Int32 {
    entries.withUnsafeMutableBufferPointer { poll($0.baseAddress, nfds_t($0.count), timeout) }
  }

  func isReady(_ place: Int) -> Bool { place < entries.count && entries[place].revents != 0 }
}
