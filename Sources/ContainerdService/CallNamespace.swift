package import Core
package import GRPC

/// Whose objects a call to containerd's services is about.
package enum CallNamespace {
  package static let key = "containerd-namespace"

  /// FAILED_PRECONDITION where the call's metadata names none, as containerd has it; INVALID_ARGUMENT for what cannot be a name.
  package static func required(_ metadata: GRPCMetadata) throws(Fault) -> String {
    guard let name = metadata[key], !name.isEmpty else {
      throw Fault(.failedPrecondition, "namespace is required: the call's metadata has no \(key)")
    }
    try ContainerdNames.check(namespace: name)
    return name
  }
}
