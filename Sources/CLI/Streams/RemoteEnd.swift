import FoundationEssentials

/// How a session of exec or attach ended.
enum RemoteEnd: Equatable, Sendable {
  /// The command's own exit code; of an attach nobody is told it, and it is 0.
  case exited(Int32)
  /// It could not be run, or nobody knows how it ended; the server's words.
  case failed(String)
  /// The person typed the detach keys.
  case detached
  /// Our output is not wanted any more.
  case outputClosed

  /// From the error channel: a Kubernetes `Status` as JSON.
  init(status bytes: [UInt8]) {
    guard let status = try? JSONDecoder().decode(Status.self, from: Data(bytes)) else {
      self = .failed("the session ended without a status")
      return
    }
    if status.status == "Success" {
      self = .exited(0)
    } else if let code = status.details?.causes?.first(where: { $0.reason == "ExitCode" })?.message.flatMap({ Int32($0) }) {
      self = .exited(code)
    } else {
      self = .failed(status.details?.causes?.compactMap(\.message).first ?? status.message ?? "the command could not be run")
    }
  }

  private struct Status: Decodable {
    struct Details: Decodable { var causes: [Cause]? }
    struct Cause: Decodable {
      var reason: String?
      var message: String?
    }
    var status: String?
    var message: String?
    var details: Details?
  }
}
