import Core
import FoundationEssentials
import Linux
package import OCI

/// An image that the guest of a machine pulls by itself, as kata's shim is told of it: an option of the root filesystem's mount
/// (kata-containers, `KataVirtualVolume` of type `image_guest_pull`).
package enum GuestImage {
  private struct Volume: Encodable {
    let kind = "image_guest_pull"
    let source: String
    let filesystem = "overlay_fs"
    let pull: Pull

    struct Pull: Encodable {
      let metadata: [String: String]
    }

    enum CodingKeys: String, CodingKey {
      case source
      case kind = "volume_type"
      case filesystem = "fs_type"
      case pull = "image_pull"
    }
  }

  /// The file of a bundle by which berth-runtime is told of the option.
  private static let file = "guest-image"

  /// Says in a bundle that the guest pulls the image that its spec names, where the handler's guests do.
  package static func tell(_ bundle: String, of spec: RuntimeSpec, handler: HandlerFacts) throws {
    guard handler.guestsPull, let annotations = spec.annotations else { return }
    guard let name = annotations["io.kubernetes.cri.image-name"] ?? annotations["io.kubernetes.cri.sandbox-image-name"] else { return }
    try Files.write(try mountOption(name, annotations: annotations), to: "\(bundle)/\(file)")
  }

  /// - Parameters:
  ///   - name: the image as the pod's author has it.
  ///   - annotations: of the container's spec, by which the guest tells a pod's own container from others.
  package static func mountOption(_ name: String, annotations: [String: String]) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let volume = try encoder.encode(Volume(source: name, pull: .init(metadata: annotations)))
    return "io.katacontainers.volume=" + volume.base64EncodedString()
  }
}
