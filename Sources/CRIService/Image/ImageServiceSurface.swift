package import Engine

/// The surface of `runtime.v1.ImageService`.
package struct ImageServiceSurface: Sendable {
  let images: ImageService
  let usage: ImageUsage
  let pinned: PinnedImages
  /// Names of runtime handlers that an image may be pulled for; all share one store.
  let handlers: Set<String>

  package init(images: ImageService, usage: ImageUsage, pinned: PinnedImages, handlers: Set<String>) {
    self.images = images
    self.usage = usage
    self.pinned = pinned
    self.handlers = handlers
  }
}
