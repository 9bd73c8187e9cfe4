package import CRIAPI
package import Core
import Linux

/// What no runtime could make sense of, found before anything is done: INVALID_ARGUMENT that names the field and the value.
package enum Validation {
  static func refuse(_ field: String, _ problem: String) -> Fault { Fault(.invalidArgument, "\(field): \(problem)") }

  static func require(_ value: String, _ field: String) throws(Fault) {
    if value.isEmpty { throw refuse(field, "is empty") }
    try checkText(value, field)
  }

  /// No NUL byte: C strings would end there, and mean something else.
  static func checkText(_ value: String, _ field: String) throws(Fault) {
    if value.utf8.contains(0) { throw refuse(field, "has a NUL byte") }
  }

  static func checkTexts(_ values: [String], _ field: String) throws(Fault) {
    for (index, value) in values.enumerated() { try checkText(value, "\(field)[\(index)]") }
  }

  /// What a process gets as one string.
  static func checkWords(_ words: [String], _ field: String) throws(Fault) {
    try checkTexts(words, field)
    for (index, word) in words.enumerated() { try checkWordLength(word.utf8.count, "\(field)[\(index)]") }
  }

  /// MAX_ARG_STRLEN (execve(2)), the NUL at the end included. The runtime finds out when it is too late to say so: the container would end at once,
  /// without a word.
  static func checkWordLength(_ bytes: Int, _ field: String) throws(Fault) {
    if bytes >= 131_072 { throw refuse(field, "\(bytes) bytes, the kernel takes at most 131071") }
  }

  static func checkTexts(_ values: [String: String], _ field: String) throws(Fault) {
    for (key, value) in values { try checkText(key + value, "\(field)[\"\(key.prefix(100))\"]") }
  }

  /// One line of a file: a line break would smuggle in others.
  static func checkLine(_ value: String, _ field: String) throws(Fault) {
    if value.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) { throw refuse(field, "has a control character") }
  }

  static func checkAbsolute(_ path: String, _ field: String) throws(Fault) {
    try checkText(path, field)
    if !path.hasPrefix("/") { throw refuse(field, "\"\(path.prefix(200))\" is not an absolute path") }
    try checkLength(path, field)
  }

  /// NAME_MAX and PATH_MAX (limits.h): no file is called that.
  private static func checkLength(_ path: String, _ field: String) throws(Fault) {
    guard path.utf8.count > 4095 || path.utf8.split(separator: UInt8(ascii: "/")).contains(where: { $0.count > 255 }) else { return }
    throw refuse(field, "\"\(path.prefix(200))…\" is longer than a path can be (4095 bytes, 255 between slashes)")
  }

  static func checkNoClimbing(_ path: String, _ field: String) throws(Fault) {
    try checkText(path, field)
    let names = path.utf8.split(separator: UInt8(ascii: "/"))
    if names.contains(where: { $0.elementsEqual("..".utf8) }) { throw refuse(field, "\"\(path.prefix(200))\" has a \"..\"") }
    try checkLength(path, field)
  }

  /// Like every runtime: 31 bits.
  static func checkID(_ value: Int64, _ field: String) throws(Fault) {
    if value < 0 || value > Int64(Int32.max) { throw refuse(field, "\(value) is no user or group ID") }
  }

  /// setgroups(2) takes NGROUPS_MAX of them.
  static func checkGroups(_ groups: [Int64], _ field: String) throws(Fault) {
    if groups.count > 65536 { throw refuse(field, "\(groups.count) groups, a process can have 65536") }
    for (index, group) in groups.enumerated() { try checkID(group, "\(field)[\(index)]") }
  }

  package static func check(_ resources: Runtime_V1_LinuxContainerResources, _ field: String) throws(Fault) {
    if resources.cpuPeriod != 0, !(1000...1_000_000).contains(resources.cpuPeriod) {
      throw refuse("\(field).cpu_period", "\(resources.cpuPeriod) is not in 1000...1000000 microseconds")
    }
    // What cgroups take on v1; runtimes reckon weights of v2 from no other.
    if resources.cpuShares != 0, !(2...262_144).contains(resources.cpuShares) {
      throw refuse("\(field).cpu_shares", "\(resources.cpuShares) is not in 2...262144")
    }
    if resources.cpuQuota < -1 || (1..<1000).contains(resources.cpuQuota) || resources.cpuQuota > 1 << 44 {
      throw refuse("\(field).cpu_quota", "\(resources.cpuQuota); at least 1000 microseconds, -1 is unlimited")
    }
    if resources.memoryLimitInBytes < -1 {
      throw refuse("\(field).memory_limit_in_bytes", "\(resources.memoryLimitInBytes); -1 is unlimited")
    }
    if resources.memorySwapLimitInBytes < -1 {
      throw refuse("\(field).memory_swap_limit_in_bytes", "\(resources.memorySwapLimitInBytes); -1 is unlimited")
    }
    if resources.memorySwapLimitInBytes > 0, resources.memorySwapLimitInBytes < resources.memoryLimitInBytes {
      throw refuse(
        "\(field).memory_swap_limit_in_bytes",
        "\(resources.memorySwapLimitInBytes) is below memory_limit_in_bytes (\(resources.memoryLimitInBytes)), which it includes")
    }
    if !(-1000...1000).contains(resources.oomScoreAdj) {
      throw refuse("\(field).oom_score_adj", "\(resources.oomScoreAdj) is not in -1000...1000")
    }
    try checkSet(resources.cpusetCpus, "\(field).cpuset_cpus")
    try checkSet(resources.cpusetMems, "\(field).cpuset_mems")
    try checkHugepages(resources.hugepageLimits, "\(field).hugepage_limits")
    try checkUnified(resources.unified, "\(field).unified")
  }

  private static func checkHugepages(_ limits: [Runtime_V1_HugepageLimit], _ field: String) throws(Fault) {
    for (index, limit) in limits.enumerated() {
      let name = "\(field)[\(index)].page_size"
      try require(limit.pageSize, name)
      let digits = limit.pageSize.dropLast(2)
      guard let size = Int(digits), size > 0, digits.first != "+", ["KB", "MB", "GB"].contains(limit.pageSize.suffix(2)) else {
        throw refuse(name, "\"\(limit.pageSize.prefix(40))\" is no page size as 2MB")
      }
      if limits[..<index].contains(where: { $0.pageSize == limit.pageSize }) { throw refuse(name, "\(limit.pageSize) has a limit already") }
    }
  }

  /// `0-3,8`.
  private static func checkSet(_ value: String, _ field: String) throws(Fault) {
    if CPUSet(value) == nil { throw refuse(field, "\"\(value.prefix(100))\" is no list of numbers and ranges") }
  }

  /// Limits of a running container that are to change.
  package static func check(update: Runtime_V1_LinuxContainerResources, annotations: [String: String]) throws(Fault) {
    try check(update, "linux")
    try checkTexts(annotations, "annotations")
  }
}
