import ArgumentParser
import Core
import Linux
import Logging
import Settings
import Synchronization

/// The daemon's command line.
@main
struct Berthd: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "berthd", abstract: "Serves the Kubernetes CRI: pods and containers by runc, CNI and overlayfs.",
    version: BerthVersion.current)

  @Option(help: "Configuration file; drop-ins are read from config.d beside it.")
  var config: String?

  @Option(help: "Path of the Unix socket to serve on.")
  var address: String?

  @Option(help: "Directory for what must survive a reboot.")
  var root: String?

  @Option(help: "Directory on tmpfs for what a reboot makes worthless.")
  var state: String?

  @Option(help: "trace, debug, info, warning or error.")
  var logLevel: String?

  /// The main thread waits for signals; everything else happens in tasks.
  func run() throws {
    Signals.takeOver()
    let settings = try effectiveConfiguration()
    let logger = StructuredLog.logger(settings.logLevel)
    let running = Mutex<Daemon?>(nil)
    Task.detached {
      do {
        let daemon = try await Daemon.start(settings, logger: logger)
        running.withLock { $0 = daemon }
      } catch {
        logger.critical("cannot start: \(Fault(error))")
        Process.exit(1)
      }
    }
    drain(on: Signals.next(), running, logger)
  }

  private func drain(on signal: Int32, _ running: borrowing Mutex<Daemon?>, _ logger: Logger) {
    guard let daemon = running.withLock({ $0 }) else { Process.exit(0) }
    logger.info("draining", metadata: ["signal": "\(signal)"])
    Task.detached {
      await daemon.stop()
      logger.info("stopped; pods go on")
      Process.exit(0)
    }
    _ = Signals.next()
    Process.exit(1)
  }

  /// Files first, then the command line.
  private func effectiveConfiguration() throws -> Configuration {
    var settings = try config.map { try Configuration.load(path: $0) } ?? Configuration.load()
    if let address { settings.grpc.address = address }
    if let root { settings.root = root }
    if let state { settings.state = state }
    if let logLevel {
      guard let level = Configuration.LogLevel(rawValue: logLevel) else { throw ValidationError("--log-level: there is no level \"\(logLevel)\"") }
      settings.logLevel = level
    }
    return settings
  }
}
