/// What this process may do.
package enum Capabilities {
  /// Numbers of <linux/capability.h>.
  package enum Name: Int, Sendable {
    case netAdmin = 12
    case sysAdmin = 21
    case sysResource = 24
  }

  /// Whether the calling process has it in its effective set.
  package static func has(_ name: Name) -> Bool {
    guard let status = try? Files.read("/proc/self/status") else { return false }
    for line in String(decoding: status, as: UTF8.self).split(separator: "\n") where line.hasPrefix("CapEff:") {
      let digits = line.dropFirst("CapEff:".count).trimmingPrefix { $0 == "\t" || $0 == " " }
      return UInt64(digits, radix: 16).map { $0 & (1 << UInt64(name.rawValue)) != 0 } ?? false
    }
    return false
  }
}

/// oom_score_adj of this process.
package enum OOMScore {
  /// The nearest to `wanted` that a child may be given: without CAP_SYS_RESOURCE it cannot go below this process's own.
  package static func allowed(_ wanted: Int32) -> Int32 {
    Capabilities.has(.sysResource) ? wanted : max(wanted, own())
  }

  package static func own() -> Int32 {
    let text = (try? Files.read("/proc/self/oom_score_adj")).map { String(decoding: $0, as: UTF8.self) } ?? "0"
    return Int32(text.prefix { $0 != "\n" }) ?? 0
  }
}
