import CLinux

enum Environment {
  /// Nil for an empty one, too.
  static func value(_ name: StaticString) -> Bytes? {
    let value = Bytes(name).withCString { getenv($0).map { Bytes(cString: $0) } }
    return value?.isEmpty == true ? nil : value
  }

  static func set(_ name: StaticString, _ value: Bytes) {
    _ = Bytes(name).withCString { name in value.withCString { setenv(name, $0, 1) } }
  }

  /// This program.
  static var program: Bytes { shim_argv(0).map { Bytes(cString: $0) } ?? [] }
}
