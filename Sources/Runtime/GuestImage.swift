/// What the bundle says of an image that the guest pulls by itself: a mount that kata's shim takes in place of the root filesystem.
struct GuestImage {
  /// Bytes; with the rest of its request it has to fit into a frame of 4 MiB.
  private static let limit = 3 << 20

  private let option: Bytes

  /// Nil where the root filesystem is on the node.
  init?(bundle: Bytes) throws(Failure) {
    guard let option = Files.read(bundle + "/guest-image", last: Self.limit + 1), !option.isEmpty else { return nil }
    guard option.count <= Self.limit else {
      throw Failure(.failedPrecondition, bundle + "/guest-image: more than 3 MiB of annotations are for the guest's image")
    }
    self.option = option
  }

  /// containerd.types.Mount. Its type is the one by which that shim looks at options of the kind at all.
  var mount: Bytes {
    var mount = ProtobufWriter()
    mount.put(1, Bytes("fuse.nydus-overlayfs"))
    mount.put(4, option)
    return mount.bytes
  }
}
