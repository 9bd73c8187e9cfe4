/// Open descriptors of processes, and a process's own limits.
package struct ProcessCounters: Sendable, Hashable {
  package var descriptors: UInt64 = 0
  package var sockets: UInt64 = 0

  package init() {}

  /// Summed over `pids`; one that is gone meanwhile counts nothing.
  package static func read(_ pids: [Int32]) -> ProcessCounters {
    var counters = ProcessCounters()
    for pid in pids {
      let directory = "/proc/\(pid)/fd"
      for name in (try? Files.list(directory)) ?? [] {
        counters.descriptors += 1
        if (try? Files.readLink("\(directory)/\(name)"))?.hasPrefix("socket:") == true { counters.sockets += 1 }
      }
    }
    return counters
  }

  /// Soft limits by name (`max_open_files`), from /proc/PID/limits (proc_pid_limits(5)); nil is unlimited.
  package static func softLimits(_ text: [UInt8]) -> [(name: String, limit: UInt64?)] {
    var limits: [(name: String, limit: UInt64?)] = []
    KernelText.forEachLine(text) { line in
      // Names are padded to 25 columns and hold spaces; values begin at the 26th.
      guard line.count > 26, KernelText.equal(line.prefix(4), "Max ") else { return }
      let name = String(decoding: line.prefix(25), as: UTF8.self).split(separator: " ").joined(separator: "_").lowercased()
      guard let soft = KernelText.fields(line.dropFirst(25)).first else { return }
      if let number = KernelText.number(soft) {
        limits.append((name, number))
      } else if KernelText.equal(soft, "unlimited") {
        limits.append((name, nil))
      }
    }
    return limits
  }
}
