import CLinux

/// What this process was started with.
package enum ProcessEnvironment {
  /// `NAME=value` each. Nothing in Berth changes the environment, so this can be read at any time.
  package static var strings: [String] {
    var strings: [String] = []
    guard var entry = clinux_environment() else { return [] }
    while let string = entry.pointee {
      strings.append(String(cString: string))
      entry += 1
    }
    return strings
  }
}
