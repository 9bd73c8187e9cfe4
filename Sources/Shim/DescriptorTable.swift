/// Values by file descriptor. An array, since descriptors are small and dense; a Dictionary would link libm (for one `ceil`), which costs a pod
/// 150 kB of memory.
struct DescriptorTable<Value> {
  private var slots: [Value?] = []

  subscript(fd: Int32) -> Value? {
    get { fd >= 0 && Int(fd) < slots.count ? slots[Int(fd)] : nil }
    set {
      guard fd >= 0 else { return }
      while slots.count <= Int(fd) { slots.append(nil) }
      slots[Int(fd)] = newValue
    }
  }

  func first(where matches: (Value) -> Bool) -> Value? {
    for case let value? in slots where matches(value) { return value }
    return nil
  }
}
