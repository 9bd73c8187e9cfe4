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
  package static func apply(_ changes: [LimitChange]) throws(LimitRefusal) {
    var done: [(file: String, old: [UInt8])] = []
    for change in changes {
      let old = KernelText.read(change.file)
      do { try Files.write(change.value, to: change.file, create: false) } catch {
        for step in done.reversed() { try? Files.write(step.old, to: step.file, create: false) }
        throw LimitRefusal(change: change, error: error)
      }
      if let old { done.append((change.file, old)) }
    }
  }
}

/// The kernel did not take a limit.
package struct LimitRefusal: Error, Sendable {
  package let change: LimitChange
  package let error: SystemError
}
