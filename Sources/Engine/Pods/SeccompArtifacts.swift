import Core
import Logging
import OCI
import Spec

/// Seccomp profiles that are OCI artifacts: from the node where they are there, else pulled with the node's own credentials.
struct SeccompArtifacts: Sendable {
  let services: PodServices

  private static let limit = 4 << 20

  /// What the container of these inputs is to have; nil where nothing names one, or nobody may.
  func find(for inputs: SpecInputs, of image: ImageRecord) async throws -> ArtifactProfile? {
    guard inputs.allowed.names.contains(.seccompProfile) else { return nil }
    guard let name = inputs.seccompArtifact(try manifest(of: image).annotations ?? [:]) else { return nil }
    guard inputs.takesSeccompArtifact else {
      services.logger.warning(
        "container \(inputs.id): seccomp profile \(name) has no effect: its security context names one, or is privileged")
      return nil
    }
    return try await stage("seccomp profile \(name.prefix(300))") { ArtifactProfile(name: name, bytes: try await read(name)) }
  }

  private func read(_ name: String) async throws -> [UInt8] {
    let image = try await present(name)
    guard let artifact = Artifact(try manifest(of: image)) else {
      throw Fault(.failedPrecondition, "it is an image, and no artifact with a profile")
    }
    guard let file = try artifact.files().first else { throw Fault(.failedPrecondition, "the artifact has no file") }
    guard let bytes = try services.layers.readFile("/" + file.name, in: image.layers, limit: Self.limit) else {
      throw Fault(.dataLoss, "\(file.name): is not in the artifact's layer")
    }
    return bytes
  }

  private func present(_ name: String) async throws -> ImageRecord {
    if let known = try services.images.find(name) {
      try await services.admission?.recheck(known, name)
      return known
    }
    guard let pull = services.pull else { throw Fault(.notFound, "is not on this node") }
    return try await pull(name)
  }

  private func manifest(of image: ImageRecord) throws -> Manifest {
    let bytes = try services.content.read(image.manifest)
    return try asFault { try JSONDocument.decode(Manifest.self, from: bytes, as: "manifest \(image.manifest)") }
  }
}
