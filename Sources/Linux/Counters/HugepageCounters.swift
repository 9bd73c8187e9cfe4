/// Huge pages of one size in use. Bytes.
package struct HugepageCounters: Sendable, Hashable {
  /// `2MB`, `1GB`.
  package var pageSize: String
  package var usage: UInt64
  package var maximum: UInt64

  package init(pageSize: String, usage: UInt64, maximum: UInt64) {
    self.pageSize = pageSize
    self.usage = usage
    self.maximum = maximum
  }

  /// The sizes this machine has, as the hugetlb controller names them, smallest first.
  package static let sizes: [String] = {
    let names = (try? Files.list("/sys/kernel/mm/hugepages")) ?? []
    let kilobytes = names.compactMap { name in UInt64(name.drop { !$0.isNumber }.prefix { $0.isNumber }) }.sorted()
    return kilobytes.map { size in
      if size >= 1 << 20 { return "\(size >> 20)GB" }
      return size >= 1 << 10 ? "\(size >> 10)MB" : "\(size)KB"
    }
  }()
}
