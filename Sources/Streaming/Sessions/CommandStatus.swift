import Core
import FoundationEssentials

/// How a command ended, as remote command clients learn it on the error stream.
enum CommandStatus: Hashable, Sendable {
  case success
  /// The command ran and ended with this code.
  case exitCode(Int32)
  /// It could not be run, or nobody knows how it ended.
  case failure(String)

  /// Version 4 and later: a Kubernetes `Status` object as JSON.
  var object: [UInt8] {
    var status = StatusObject(status: "Failure", message: text)
    switch self {
    case .success: status = StatusObject(status: "Success")
    case .exitCode(let code):
      status.reason = "NonZeroExitCode"
      status.details = .init(causes: [.init(reason: "ExitCode", message: "\(code)")])
    case .failure(let message):
      status.reason = "InternalError"
      status.details = .init(causes: [.init(reason: nil, message: message)])
      status.code = 500
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(status)).map { Array($0) } ?? Array("{}".utf8)
  }

  /// Before version 4: nothing for success, text for the rest.
  var text: String? {
    switch self {
    case .success: nil
    case .exitCode(let code): "command terminated with non-zero exit code: exit code \(code)"
    case .failure(let message): "Internal error occurred: \(message)"
    }
  }
}

/// `Status` of `meta/v1`, as much as remote command clients read.
private struct StatusObject: Encodable {
  struct Metadata: Encodable {}
  struct Details: Encodable { var causes: [Cause] }
  struct Cause: Encodable {
    var reason: String?
    var message: String
  }

  var metadata = Metadata()
  var status: String
  var message: String?
  var reason: String?
  var details: Details?
  var code: Int?

  init(status: String, message: String? = nil) {
    self.status = status
    self.message = message
  }
}
