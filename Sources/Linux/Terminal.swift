import CLinux

/// What is at the other end of a descriptor: a person's terminal, or a file or pipe.
package enum Terminal {
  /// Columns of the terminal on `descriptor`; nil for anything that is none.
  package static func columns(of descriptor: Int32) -> Int? {
    var columns: Int32 = 0
    var rows: Int32 = 0
    guard clinux_terminal_size(descriptor, &columns, &rows) == 0 else { return nil }
    return columns > 0 ? Int(columns) : 80
  }
}
