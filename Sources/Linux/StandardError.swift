import CLinux

/// The process's stderr.
package enum StandardError {
  /// One write(2); an error is nobody's to hear.
  package static func write(_ text: String) {
    let bytes = Array(text.utf8)
    _ = CLinux.write(2, bytes, bytes.count)
  }
}
