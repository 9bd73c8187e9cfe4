import Core
import Linux
import Logging

/// irqbalance(1), which would move interrupts back to processors that are to have none. Where it is not installed there is nothing to tell it.
struct Irqbalance: Sendable {
  /// Its environment file (`/etc/sysconfig/irqbalance`, `/etc/default/irqbalance`).
  let configuration: String
  var directories = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]

  private static let variable = "IRQBALANCE_BANNED_CPUS"
  private static let limit = Duration.seconds(20)

  /// Into its file, by one at a time.
  func write(_ banned: ProcessorMask) throws {
    guard Files.exists(configuration) else { return }
    let text = Self.edited(String(decoding: try Files.read(configuration, limit: 1 << 20), as: UTF8.self), banned)
    try Files.replace(configuration, with: Array(text.utf8), mode: 0o644, durable: false)
  }

  /// Has it act by what was written. Never fails a container: interrupts that come to a processor nevertheless are what they were before.
  func heed(_ processors: ProcessorMask, _ logger: Logger) async {
    do {
      if Files.exists(configuration), try await run("systemctl", ["try-restart", "irqbalance.service"], []) { return }
      _ = try await run("irqbalance", ["--oneshot"], ["\(Self.variable)=\(processors)"])
    } catch {
      logger.warning("irqbalance is not told of processors without interrupts: \(Fault(error))")
    }
  }

  /// The file with this line instead of its own.
  static func edited(_ text: String, _ processors: ProcessorMask) -> String {
    let line = "\(variable)=\"\(processors)\""
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard let place = lines.lastIndex(where: { $0.hasPrefix(variable + "=") }) else {
      return text + (text.isEmpty || text.hasSuffix("\n") ? "" : "\n") + line + "\n"
    }
    lines[place] = line
    return lines.joined(separator: "\n")
  }

  /// False where the program is missing, or does not do it.
  private func run(_ program: String, _ arguments: [String], _ environment: [String]) async throws -> Bool {
    guard let directory = directories.first(where: { Files.isExecutable("\($0)/\(program)") }) else { return false }
    let output = try await Command.run(
      "\(directory)/\(program)", arguments, environment: environment + ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"], timeout: Self.limit)
    return output.succeeded
  }
}
