import CLinux

/// Signals of the whole process, taken by one thread that waits for them (sigwait(3)) instead of by handlers.
package enum Signals {
  package static let terminate = SIGTERM
  package static let interrupt = SIGINT

  /// Blocks the two for the calling thread and all that it makes later, and ignores SIGPIPE. Call before any thread exists.
  package static func takeOver() {
    var set = waited
    pthread_sigmask(SIG_BLOCK, &set, nil)
    signal(SIGPIPE, SIG_IGN)
  }

  /// Sleeps until one of them arrives.
  package static func next() -> Int32 {
    var set = waited
    var number: Int32 = 0
    while sigwait(&set, &number) != 0 {}
    return number
  }

  private static var waited: sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGTERM)
    sigaddset(&set, SIGINT)
    return set
  }
}
