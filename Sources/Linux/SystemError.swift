import CLinux

/// A system call that failed: which, on what, and why.
package struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The errno value.
  package let number: Int32
  /// Name of the call, `openat`.
  package let call: String
  /// Path or other object it was about; empty for none.
  package let object: String

  package init(_ number: Int32, call: String, object: String = "") {
    self.number = number
    self.call = call
    self.object = object
  }

  package var description: String {
    let reason = String(cString: strerror(number))
    return object.isEmpty ? "\(call): \(reason)" : "\(call) \(object): \(reason)"
  }

  /// errno comparisons that read well: `error.is(ENOENT)`.
  package func `is`(_ numbers: Int32...) -> Bool { numbers.contains(number) }
}

/// The errno values that mean something to a caller, by name, for modules that do not import the C library.
extension SystemError {
  package var noEntry: Int32 { ENOENT }
  package var exists: Int32 { EEXIST }
  package var noSpace: Int32 { ENOSPC }
  package var quota: Int32 { EDQUOT }
  package var tooManyFiles: Int32 { ENFILE }
  package var tooManyOpen: Int32 { EMFILE }
  package var noMemory: Int32 { ENOMEM }
  package var tooBig: Int32 { EFBIG }
  /// A FIFO that nobody reads.
  package var noPeer: Int32 { ENXIO }
  package var denied: Int32 { EACCES }
  package var notPermitted: Int32 { EPERM }
}

extension SystemError {
  /// What was said means nothing to the kernel.
  package var isInvalid: Bool { self.is(EINVAL) }
  /// A filesystem's answer to mount_setattr(2) when it knows no ID-mapped mounts.
  package var isUnsupportedMapping: Bool { self.is(EINVAL, EOPNOTSUPP, EPERM) && call.hasPrefix("ID-mapped") }
}
