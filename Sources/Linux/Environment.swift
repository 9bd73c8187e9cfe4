import CLinux

/// What a process was started with.
package enum Environment {
  /// The variable's value; nil when it is not set.
  package static func value(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }

  /// The current directory; nil when it was removed.
  package static var currentDirectory: String? {
    guard let path = getcwd(nil, 0) else { return nil }
    defer { free(path) }
    return String(cString: path)
  }

  package static var isRoot: Bool { geteuid() == 0 }
}
