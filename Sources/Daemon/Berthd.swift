import ArgumentParser
import Core
import Linux
import Logging
import Settings

/// The daemon's command line.
@main
struct Berthd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "berthd", abstract: "Serves the Kubernetes CRI: pods and containers by runc, CNI and overlayfs.",
    version: Release.version)

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

  func run() async throws {
    MemoryPolicy.apply()
    let settings = try effectiveConfiguration()
    let logger = StructuredLog.logger(settings.logLevel)
    do { try KubeMountNamespace.join() } catch {
      logger.critical("cannot start: \(error)")
      throw ExitCode(1)
    }
    let signals = try Signals.stream([Signals.interrupt, Signals.terminate])
    let daemon: Daemon
    do { daemon = try await Daemon.start(settings, logger: logger) } catch {
      logger.critical("cannot start: \(Fault(error))")
      throw ExitCode(1)
    }
    Task(priority: .utility) { await MemoryPolicy.keepSmall() }
    await drain(daemon, on: signals, logger)
  }

  /// The first signal ends the daemon in order, a second one at once. Pods go on in both cases.
  private func drain(_ daemon: Daemon, on signals: AsyncStream<Int32>, _ logger: Logger) async {
    var iterator = signals.makeAsyncIterator()
    let signal = await iterator.next() ?? Signals.terminate
    logger.info("draining", metadata: ["signal": "\(signal)"])
    let stop = Task {
      await daemon.stop()
      logger.info("stopped; pods go on")
      Process.exit(0)
    }
    _ = await iterator.next()
    stop.cancel()
    Process.exit(1)
  }

  /// Files first, then the command line.
  private func effectiveConfiguration() throws -> Configuration {
    var settings = try config.map { try Configuration.load($0, mustExist: true) } ?? Configuration.load()
    if let address { settings.grpc.address = address }
    if let root { settings.root = root }
    if let state { settings.state = state }
    if let logLevel {
      guard let level = Configuration.LogLevel(rawValue: logLevel) else {
        throw ValidationError("--log-level: there is no level \"\(logLevel)\"")
      }
      settings.logLevel = level
    }
    return settings
  }
}
