import CLinux

/// Wakes one sleeping thread: a ring that is heard even if it came before the sleep.
///
/// `@unchecked`: the flag is only touched under the pthread mutex beside it.
package final class Wakeup: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var rung = false

  package init() {
    pthread_mutex_init(mutex, nil)
    clinux_condition_init(condition)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  package func ring() {
    pthread_mutex_lock(mutex)
    rung = true
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
  }

  /// Sleeps until the next ring, or for `time` at most. True if it was rung.
  @discardableResult
  package func wait(_ time: Duration? = nil) -> Bool {
    let limit = time?.nanoseconds ?? -1
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while !rung {
      if clinux_condition_wait(condition, mutex, limit) == ETIMEDOUT { return false }
    }
    rung = false
    return true
  }
}
