import CLinux

/// The calling thread's character set.
package enum ThreadLocale {
  /// UTF-8 from now on, for this thread only, whatever LANG says: libraries that convert file names go by it.
  package static func useUTF8() { clinux_use_utf8() }
}
