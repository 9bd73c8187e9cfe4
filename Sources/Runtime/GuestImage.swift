/// What the bundle says of an image that the guest pulls by itself: a mount that kata's shim takes in place of the root filesystem.
struct GuestImage {
  private static let limit = 64 << 10

  private let option: Bytes

  /// Nil where the root filesystem is on the node.
  init?(bundle: Bytes) {
    guard let option = Files.read(bundle + "/guest-image", last: Self.limit), !option.isEmpty else { return nil }
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
