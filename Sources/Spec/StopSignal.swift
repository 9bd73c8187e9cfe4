package import CRIAPI
import Core
import OCI

/// The signal that asks a container to end: the CRI's, else the image's, else systemd's own, else SIGTERM.
package enum StopSignal {
  /// A name in the image that is no signal must not make a container that cannot be stopped: SIGTERM then, and a warning.
  static func resolve(_ inputs: SpecInputs, _ warnings: inout [String]) throws(Fault) -> Int32 {
    if let number = number(of: inputs.container.stopSignal) { return number }
    let named = inputs.image.config.stopSignal
    if named.isEmpty { return try inputs.initStopSignal() ?? SignalName.term }
    if let number = SignalName.number(of: named) { return number }
    warnings.append("the image's stop signal \"\(named.prefix(64))\" is no signal: SIGTERM is used")
    return SignalName.term
  }

  /// `nil` for RUNTIME_DEFAULT and for what is not known.
  package static func number(of signal: Runtime_V1_Signal) -> Int32? {
    let index = signal.rawValue
    return index > 0 && index < names.count ? SignalName.number(of: names[index]) : nil
  }

  /// As a container's status says it; RUNTIME_DEFAULT for a number without a name.
  package static func message(for number: Int32) -> Runtime_V1_Signal {
    names.firstIndex { SignalName.number(of: $0) == number }.flatMap(Runtime_V1_Signal.init(rawValue:)) ?? .runtimeDefault
  }

  /// By the CRI's numbers (api.proto `Signal`), which are not the kernel's.
  private static let names: [String] =
    """
    - ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG
    USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN
    """.split { $0 == " " || $0 == "\n" }.map(String.init)
    + (1...15).map { "RTMIN+\($0)" } + (1...14).reversed().map { "RTMAX-\($0)" } + ["RTMAX"]
}
