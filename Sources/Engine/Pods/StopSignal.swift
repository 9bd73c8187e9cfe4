import CRIAPI
import Core
import OCI

/// The signal that asks a container to end: the kubelet's choice, else the image's, else SIGTERM.
enum StopSignal {
  private static let terminate: Int32 = 15
  /// First and last real-time signal of Linux with glibc (signal(7)).
  private static let realTime: ClosedRange<Int32> = 34...64

  static func number(_ config: Runtime_V1_ContainerConfig, _ image: ImageConfig) throws(Fault) -> Int32 {
    if config.stopSignal != .runtimeDefault { return parse("\(config.stopSignal)") ?? terminate }
    let text = image.config.stopSignal
    guard !text.isEmpty else { return terminate }
    guard let number = parse(text) else { throw Fault(.invalidArgument, "image: StopSignal \"\(text.prefix(40))\" is no signal") }
    return number
  }

  /// `15`, `SIGTERM`, `term`, `SIGRTMIN+3`, `sigrtmaxminus1` (the CRI's way of writing SIGRTMAX-1).
  static func parse(_ text: String) -> Int32? {
    if let number = Int32(text) { return (1...64).contains(number) ? number : nil }
    var name = text.lowercased().replacing("plus", with: "+").replacing("minus", with: "-")
    if name.hasPrefix("sig") { name = String(name.dropFirst(3)) }
    if let number = numbers[name] { return number }
    if name.hasPrefix("rtmin") { return offset(name.dropFirst(5), from: realTime.lowerBound) }
    if name.hasPrefix("rtmax") { return offset(name.dropFirst(5), from: realTime.upperBound) }
    return nil
  }

  private static func offset(_ text: Substring, from base: Int32) -> Int32? {
    if text.isEmpty { return base }
    guard let value = Int32(text), realTime.contains(base + value) else { return nil }
    return base + value
  }

  /// Numbers on x86-64 and arm64 (signal(7)).
  private static let numbers: [String: Int32] = [
    "hup": 1, "int": 2, "quit": 3, "ill": 4, "trap": 5, "abrt": 6, "iot": 6, "bus": 7, "fpe": 8, "kill": 9, "usr1": 10, "segv": 11,
    "usr2": 12, "pipe": 13, "alrm": 14, "term": 15, "stkflt": 16, "chld": 17, "cld": 17, "cont": 18, "stop": 19, "tstp": 20, "ttin": 21,
    "ttou": 22, "urg": 23, "xcpu": 24, "xfsz": 25, "vtalrm": 26, "prof": 27, "winch": 28, "io": 29, "poll": 29, "pwr": 30, "sys": 31,
  ]
}
