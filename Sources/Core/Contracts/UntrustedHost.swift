/// The cause of a fault of a registry that is there, but host and node do not trust each other (certificates, protocol versions): no outage.
package struct UntrustedHost: Error, CustomStringConvertible {
  package let cause: any Error

  package init(_ cause: any Error) { self.cause = cause }

  package var description: String { "\(cause)" }
}
