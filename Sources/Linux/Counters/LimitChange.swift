/// One file of a cgroup to be written.
package struct LimitChange: Sendable, Hashable {
  /// What the caller calls it, for errors: `cpu_quota`.
  package var field: String
  package var file: String
  package var value: String

  package init(field: String, file: String, value: String) {
    self.field = field
    self.file = file
    self.value = value
  }

  /// Writes all, in order. Where one is refused, those before it are taken back, and the refused one is told with the kernel's error.
  @discardableResult
  package static func apply(_ changes: [LimitChange]) throws(LimitRefusal) -> EarlierLimits {
    var earlier = EarlierLimits()
    for change in changes {
      let old = content(of: change.file)
      do { try Files.write(change.value, to: change.file, create: false) } catch {
        earlier.putBack()
        throw LimitRefusal(change: change, error: error)
      }
      if let old { earlier.files.append((change.file, old)) }
    }
    return earlier
  }

  /// A set that is empty takes what is above it, and cannot be made so again while there are processes: then what is in force comes back by its members
  /// (cgroup v2's `cpuset.cpus.effective`).
  private static func content(of file: String) -> [UInt8]? {
    let now = KernelText.read(file)
    return now == [0x0A] ? KernelText.read(file + ".effective") ?? now : now
  }
}

/// What held before limits were changed.
package struct EarlierLimits: Sendable {
  fileprivate var files: [(path: String, content: [UInt8])] = []

  /// As far as the kernel takes it.
  package func putBack() { for file in files.reversed() { try? Files.write(file.content, to: file.path, create: false) } }
}

/// The kernel did not take a limit.
package struct LimitRefusal: Error, Sendable {
  package let change: LimitChange
  package let error: SystemError
}
