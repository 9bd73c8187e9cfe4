import CRIAPI
import Core

extension Runtime {
  private static let looks = 250
  private static let interval = Duration.milliseconds(20)

  /// The status of a container whose end is known but perhaps not yet written down; nil where it was removed.
  func ended(_ container: String) async throws -> Runtime_V1_ContainerStatus? {
    for _ in 0..<Self.looks {
      do {
        let status = try await containerStatus(container).status
        if status.state == .containerExited { return status }
      } catch let fault as Fault where fault.code == .notFound { return nil }
      try await Task.sleep(for: Self.interval)
    }
    throw Failure("container \(Short.id(container)) runs on, but its session ended")
  }
}
