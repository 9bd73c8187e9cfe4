package import OCI

extension ReferenceError: FaultConvertible {
  package var fault: Fault { Fault(.invalidArgument, description, cause: self) }
}

extension DocumentError: FaultConvertible {
  package var fault: Fault { Fault(.invalidArgument, description, cause: self) }
}

extension PlatformError: FaultConvertible {
  package var fault: Fault { Fault(.notFound, description, cause: self) }
}
