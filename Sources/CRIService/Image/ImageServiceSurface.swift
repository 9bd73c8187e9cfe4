package import Engine

/// The surface of `runtime.v1.ImageService`.
package struct ImageServiceSurface: Sendable {
  let images: ImageService
  let usage: ImageUsage

  package init(images: ImageService, usage: ImageUsage) {
    self.images = images
    self.usage = usage
  }
}
