/// Signals by name, as images (`STOPSIGNAL`) and clients write them (signal(7); numbers of Linux's common ABI).
package enum SignalName {
  package static let term: Int32 = 15
  /// The first and last real-time signals as glibc gives them to programs.
  package static let realTimeMinimum: Int32 = 34
  package static let realTimeMaximum: Int32 = 64

  /// `SIGTERM`, `term`, `15`, `SIGRTMIN+3`, `RTMAX-1`; `nil` for what is no signal.
  package static func number(of text: String) -> Int32? {
    if let number = Int32(text) { return (1...realTimeMaximum).contains(number) ? number : nil }
    let upper = text.uppercased()
    let name = upper.hasPrefix("SIG") ? String(upper.dropFirst(3)) : upper
    return numbers[name] ?? realTime(name)
  }

  private static func realTime(_ name: String) -> Int32? {
    for (prefix, base, sign) in [("RTMIN", realTimeMinimum, Int32(1)), ("RTMAX", realTimeMaximum, Int32(-1))] where name.hasPrefix(prefix) {
      let rest = name.dropFirst(prefix.count)
      if rest.isEmpty { return base }
      guard rest.first == (sign > 0 ? "+" : "-"), let offset = Int32(rest.dropFirst()), (0...30).contains(offset) else { return nil }
      return base + sign * offset
    }
    return nil
  }

  private static let numbers: [String: Int32] = [
    "HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "TRAP": 5, "ABRT": 6, "IOT": 6, "BUS": 7, "FPE": 8, "KILL": 9, "USR1": 10, "SEGV": 11,
    "USR2": 12,
    "PIPE": 13, "ALRM": 14, "TERM": 15, "STKFLT": 16, "CHLD": 17, "CLD": 17, "CONT": 18, "STOP": 19, "TSTP": 20, "TTIN": 21, "TTOU": 22,
    "URG": 23, "XCPU": 24, "XFSZ": 25, "VTALRM": 26, "PROF": 27, "WINCH": 28, "IO": 29, "POLL": 29, "PWR": 30, "SYS": 31,
  ]
}
