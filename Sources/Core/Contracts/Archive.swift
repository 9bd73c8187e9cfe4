package import OCI

/// Images in a file or directory on this node: an OCI layout or what `docker save` writes. A source of manifests and blobs like a registry.
package protocol ImageArchive: RegistrySource {
  /// What the archive calls its images, as it says it; an image without a name has its manifest's digest only.
  var images: [ArchivedImage] { get }
}

package struct ArchivedImage: Sendable, Hashable {
  /// Names as found, `busybox:latest` or `docker.io/library/busybox:latest`; may be empty.
  package var names: [String]
  /// The index or manifest to pull.
  package var descriptor: Descriptor

  package init(names: [String], descriptor: Descriptor) {
    self.names = names
    self.descriptor = descriptor
  }
}
