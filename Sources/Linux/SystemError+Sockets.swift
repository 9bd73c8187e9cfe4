import CLinux

extension SystemError {
  /// The cause alone, in words: `No such file or directory`.
  package var reason: String { String(cString: strerror(number)) }

  /// A socket that is not there, or that nobody listens on.
  package var isNobodyThere: Bool { self.is(ENOENT, ECONNREFUSED) }
}
