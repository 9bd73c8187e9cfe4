import CLinux

extension Failure {
  init(_ failure: SystemFailure) { self.init(.internal, failure.message) }

  /// The same with the stage it happened at before it.
  func at(_ stage: Bytes) -> Failure { Failure(code, stage + ": " + message) }
}

extension SystemFailure {
  /// The failure of a call as one of the program.
  static func failure(_ stage: StaticString, _ object: Bytes, _ number: Int32 = clinux_errno()) -> Failure {
    Failure(SystemFailure(stage, object, number))
  }
}
