import Core

/// Why a command ends without having done its job; the message is the one line that is shown.
struct Failure: Error, Equatable {
  let message: String
  /// The program's exit status.
  let status: Int32

  init(_ message: String, status: Int32 = 1) {
    self.message = message
    self.status = status
  }

  /// Any error as a failure. What came from berthd already names stage, object and cause.
  init(_ error: any Error) {
    self = error as? Failure ?? Failure(Fault(error).message)
  }
}
