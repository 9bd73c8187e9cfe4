import CRIAPI
import Core
import Linux
import OCI

/// What a container is made of, and what runs it.
extension ContainerSetup {
  /// The images that a container is made of.
  struct Images {
    let image: ImageRecord
    let config: ImageConfig
    /// By the index of the mount that names it.
    let volumes: [Int: ImageRecord]

    var layers: [LayerID] { image.layers + volumes.values.flatMap(\.layers) }
  }

  /// The handler's OCI runtime for images of this platform.
  func runtime(for image: ImageConfig) throws -> String {
    let platform = Platform(os: image.os, architecture: image.architecture, variant: image.variant).normalized
    if let path = services.settings.platformRuntimes[sandbox.runtimeHandler]?.runtime(for: platform) {
      guard Files.isExecutable(path) else {
        throw Fault(.failedPrecondition, "platform_runtime_paths: \(path), for images of \(platform), is no executable file")
      }
      return path
    }
    return services.settings.runtimes[sandbox.runtimeHandler] ?? ""
  }

  func findImage(_ spec: Runtime_V1_ImageSpec) throws -> ImageRecord {
    guard !spec.image.isEmpty else { throw Fault(.invalidArgument, "image: the name is empty") }
    guard let image = try services.images.find(spec.image) else {
      throw Fault(.notFound, "image \(spec.image): is not on this node; pull it")
    }
    return image
  }

  /// What was pulled long ago is asked about once more.
  func admit(_ images: Images, _ config: Runtime_V1_ContainerConfig) async throws {
    guard let admission = services.admission else { return }
    let name = config.image.userSpecifiedImage
    try await admission.recheck(images.image, name.isEmpty ? config.image.image : name)
    for (index, image) in images.volumes.sorted(by: { $0.key < $1.key }) {
      try await stage("ImageVolumeMountFailed: mounts[\(index)].image") {
        try await admission.recheck(image, config.mounts[index].image.image)
      }
    }
  }

  func imageConfig(_ image: ImageRecord) throws -> ImageConfig {
    try stage("image \(image.id)") {
      if let type = image.artifactType {
        throw Fault(.failedPrecondition, "it is no image but an artifact (\(type)): it can be mounted, not run")
      }
      return try ImageConfig.parse(services.content.read(image.id))
    }
  }
}
