/// Signals by number or name, with SIG before it or without.
enum Signal {
  static func number(_ word: Bytes) -> Int32? {
    if let number = word.number { return number < 65 ? Int32(number) : nil }
    let name = word.hasPrefix("SIG") ? Bytes(word.dropFirst(3)) : word
    let names = Bytes(
      "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"
    )
    let place = names.split(separator: 32).firstIndex { $0.elementsEqual(name) }
    return place.map { Int32($0 + 1) }
  }
}
