import Core
import FoundationEssentials

/// An image that the guest of a machine pulls by itself, as kata's shim is told of it: an option of the root filesystem's mount
/// (kata-containers, `KataVirtualVolume` of type `image_guest_pull`).
package enum GuestImage {
  private struct Volume: Encodable {
    let volume_type = "image_guest_pull"
    let source: String
    let fs_type = "overlay_fs"
    let image_pull: Pull

    struct Pull: Encodable {
      let metadata: [String: String]
    }
  }

  /// - Parameters:
  ///   - name: the image as the pod's author has it.
  ///   - annotations: of the container's spec, by which the guest tells a pod's own container from others.
  package static func mountOption(_ name: String, annotations: [String: String]) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let volume = try encoder.encode(Volume(source: name, image_pull: .init(metadata: annotations)))
    return "io.katacontainers.volume=" + volume.base64EncodedString()
  }
}
