package import OCI

/// Says whether an image may be on this node, before any of its layers is fetched.
package protocol ImagePolicy: Sendable {
  /// - Parameters:
  ///   - name: fully qualified, as it was asked for.
  ///   - descriptor: what the name points at, index or manifest.
  /// - Throws: a ``Fault`` whose cause is ``ImageRejected`` where it may not.
  func check(_ name: String, _ descriptor: Descriptor) async throws
  /// Another one when another answer is to be expected; empty where every image is taken.
  func fingerprint() throws -> String
}

/// The cause of a fault that a policy made.
package struct ImageRejected: Error, FaultConvertible {
  package let reason: String
  package init(_ reason: String) { self.reason = reason }
  package var fault: Fault { Fault(.permissionDenied, reason, cause: self) }
}

/// Takes every image.
package struct AnyImage: ImagePolicy {
  package init() {}
  package func check(_ name: String, _ descriptor: Descriptor) async throws {}
  package func fingerprint() -> String { "" }
}
