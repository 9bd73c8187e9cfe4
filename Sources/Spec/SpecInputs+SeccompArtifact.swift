import CRIAPI
import Core
import OCI

/// A seccomp profile that is an OCI artifact.
package struct ArtifactProfile: Sendable, Hashable {
  /// As the annotation calls it.
  package let name: String
  package let bytes: [UInt8]

  package init(name: String, bytes: [UInt8]) {
    self.name = name
    self.bytes = bytes
  }
}

extension SpecInputs {
  private static let pod = "POD"

  /// The artifact whose profile the container is to have: what its pod says of it or of all of its containers comes before what the image says.
  /// - Parameter image: annotations of the image's manifest.
  package func seccompArtifact(_ image: [String: String]) -> String? {
    let annotation = ExperimentalAnnotation.seccompProfile
    return experiment(annotation) ?? allowed.value(annotation, in: sandbox.annotations, container: Self.pod)
      ?? allowed.value(annotation, in: image) ?? allowed.value(annotation, in: image, container: container.metadata.name)
      ?? allowed.value(annotation, in: image, container: Self.pod)
  }

  /// Only where the CRI's own fields leave the container without a filter: an annotation does not loosen what they say.
  package var takesSeccompArtifact: Bool {
    guard !security.privileged, let request = try? SeccompRequest(security) else { return false }
    return request == .unset || request == .unconfined
  }

  func artifactSeccomp(_ profile: ArtifactProfile, _ capabilities: CapabilitySets, _ warnings: inout [String]) throws(Fault)
    -> RuntimeSpec.Seccomp
  {
    try resolved(profile.bytes, "seccomp profile \(profile.name)", capabilities, &warnings)
  }
}
