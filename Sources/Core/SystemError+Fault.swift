package import Linux

extension SystemError: FaultConvertible {
  /// What the kernel refused, as a gRPC code: full disks and limits are RESOURCE_EXHAUSTED, absence is NOT_FOUND, the rest INTERNAL.
  package var fault: Fault { Fault(code, description, cause: self) }

  private var code: Fault.Code {
    switch number {
    case noEntry: .notFound
    case exists: .alreadyExists
    case noSpace, quota, tooManyFiles, tooManyOpen, noMemory, tooBig: .resourceExhausted
    case denied, notPermitted: .permissionDenied
    default: .internal
    }
  }
}
