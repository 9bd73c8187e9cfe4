import CLinux
import Synchronization

/// The process's stderr.
package enum StandardError {
  /// Texts that nobody took.
  private static let lost = Mutex(0)
  /// Milliseconds that a text may wait for a slow reader.
  private static let patience: Int32 = 20

  /// One write(2); an error is nobody's to hear. A reader that has stopped (a full pipe, a journal that hangs) must not stop the daemon with it:
  /// what it does not take is dropped, and counted in the next text that it takes.
  package static func write(_ text: String) {
    lost.withLock { lost in
      var entry = pollfd(fd: 2, events: Int16(POLLOUT), revents: 0)
      guard poll(&entry, 1, lost == 0 ? patience : 0) > 0 else {
        lost += 1
        return
      }
      let bytes = Array((lost == 0 ? text : "(\(lost) lines before this one were not taken)\n" + text).utf8)
      lost = 0
      _ = CLinux.write(2, bytes, bytes.count)
    }
  }
}
