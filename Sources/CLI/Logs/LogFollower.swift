import CRIAPI
import Core
import Linux

/// Shows a container's log until the container has ended and everything it wrote was shown.
struct LogFollower {
  let runtime: Runtime
  let containerID: String
  let path: String
  let printer: LogPrinter

  /// How often the file is looked at, and how many looks come between two questions whether the container still runs.
  private static let interval = Duration.milliseconds(40)
  private static let looksPerQuestion = 5
  /// The writer may be some moments behind the container's end.
  private static let quietLooksAtEnd = 3
  private static let looksForFile = 25

  /// Returns the container's last status; nil when the container was removed meanwhile. Cancellable.
  func follow(tail: Int? = nil) async throws -> Runtime_V1_ContainerStatus? {
    var file = try await openLog(tail)
    printer.complain(about: file.unreadable)
    var printer = printer
    var looks = 0
    while true {
      let lines = try file.next()
      printer.show(lines)
      if printer.isPast(lines) || (lines.isEmpty && SystemClock.realtimeNanoseconds() >= printer.until) { return try await status() }
      if looks % Self.looksPerQuestion == 0 {
        let status = try await status()
        guard let status, status.state == .containerRunning || status.state == .containerCreated else {
          try await drain(&file, &printer)
          return status
        }
      }
      looks += 1
      if lines.isEmpty { try await Task.sleep(for: Self.interval) }
    }
  }

  /// In the middle of a rotation there is no file for some moments.
  private func openLog(_ tail: Int?) async throws -> LogFile {
    for _ in 0..<Self.looksForFile {
      if let file = try? LogFile(path, tail: tail, since: printer.since) { return file }
      try await Task.sleep(for: Self.interval)
    }
    do { return try LogFile(path, tail: tail, since: printer.since) } catch {
      throw Failure("logs of container \(Short.id(containerID)): \(error)")
    }
  }

  private func drain(_ file: inout LogFile, _ printer: inout LogPrinter) async throws {
    var quiet = 0
    while quiet < Self.quietLooksAtEnd {
      let lines = try file.next()
      printer.show(lines)
      quiet = lines.isEmpty ? quiet + 1 : 0
      if lines.isEmpty { try await Task.sleep(for: Self.interval) }
    }
  }

  private func status() async throws -> Runtime_V1_ContainerStatus? {
    do { return try await runtime.containerStatus(containerID).status } catch let fault as Fault where fault.code == .notFound {
      return nil
    }
  }
}
