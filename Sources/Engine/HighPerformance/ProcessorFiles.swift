import Core
import Linux

/// The kernel's files for processors (Documentation/ABI/testing/sysfs-devices-power, admin-guide/pm/cpufreq, core-api/irq/irq-affinity).
struct ProcessorFiles: Sendable {
  /// Goes before every path, for trees recorded elsewhere.
  var root = ""

  enum Setting: String, Sendable, CaseIterable {
    case latency = "power/pm_qos_resume_latency_us"
    case governor = "cpufreq/scaling_governor"
  }

  private func path(_ processor: Int, _ file: String) -> String { "\(root)/sys/devices/system/cpu/cpu\(processor)/\(file)" }

  func read(_ setting: Setting, of processor: Int) throws(SystemError) -> String { try text(path(processor, setting.rawValue)) }

  func write(_ value: String, to setting: Setting, of processor: Int) throws(SystemError) {
    try Files.write(value, to: path(processor, setting.rawValue), create: false)
  }

  func governors(of processor: Int) throws(SystemError) -> [Substring] {
    try text(path(processor, "cpufreq/scaling_available_governors")).split(separator: " ")
  }

  /// A processor and those that share its core; itself where the kernel does not tell.
  func siblings(of processor: Int) -> CPUSet {
    (try? text(path(processor, "topology/thread_siblings_list"))).flatMap { CPUSet($0) } ?? CPUSet([processor])
  }

  /// Those of a container's processors that take its interrupts where the others take none: the first, and its siblings among them.
  func housekeeping(of processors: CPUSet) -> CPUSet {
    processors.first.map { processors.intersection(siblings(of: $0)) } ?? CPUSet()
  }

  private var interruptMask: String { root + "/proc/irq/default_smp_affinity" }

  func interrupts() throws(Fault) -> ProcessorMask {
    try stage(interruptMask) {
      guard let mask = ProcessorMask(try text(interruptMask)) else { throw Fault(.internal, "is no mask of processors") }
      return mask
    }
  }

  func setInterrupts(_ mask: ProcessorMask) throws(SystemError) { try Files.write("\(mask)", to: interruptMask, create: false) }

  private func text(_ path: String) throws(SystemError) -> String {
    String(decoding: try Files.read(path).prefix { $0 != 0x0A }, as: UTF8.self)
  }
}

/// Processors as bits, hexadecimal in groups of eight digits: `00000000,0000000f`.
struct ProcessorMask: Sendable, Hashable, CustomStringConvertible {
  /// The lowest first, four processors each.
  private var digits: [UInt8]

  init?(_ text: some StringProtocol) {
    digits = []
    for character in text.utf8.reversed() where character != UInt8(ascii: ",") {
      guard let digit = UInt8(String(UnicodeScalar(character)), radix: 16) else { return nil }
      digits.append(digit)
    }
    if digits.isEmpty { return nil }
  }

  var isEmpty: Bool { digits.allSatisfy { $0 == 0 } }

  /// Processors beyond the mask's end are nobody's.
  mutating func set(_ processors: CPUSet, _ isOn: Bool) {
    for processor in processors.members where processor / 4 < digits.count {
      let bit = UInt8(1) << UInt8(processor % 4)
      if isOn { digits[processor / 4] |= bit } else { digits[processor / 4] &= ~bit }
    }
  }

  /// Those that are not in it, of the same width.
  var complement: ProcessorMask {
    var result = self
    for index in digits.indices { result.digits[index] = ~digits[index] & 0xF }
    return result
  }

  var description: String {
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, index % 8 == 0 { text += "," }
      text += String(digit, radix: 16)
    }
    return String(text.reversed())
  }
}
