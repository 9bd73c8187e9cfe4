package import Core
package import Engine
package import GRPC

/// The surface of `berth.v1.Berth`: what the CRI cannot say. One file per RPC beside this one.
package struct BerthService: GRPCService {
  let images: ImageService
  /// Opens an archive on this node as a source of images.
  let archives: @Sendable (String) async throws -> any ImageArchive

  package init(images: ImageService, archives: @escaping @Sendable (String) async throws -> any ImageArchive) {
    self.images = images
    self.archives = archives
  }

  package var name: String { "berth.v1.Berth" }

  package var methods: [GRPCMethod] {
    [
      .serverStreaming("Pull") { request, _, writer in try await pull(request, writer) },
      .serverStreaming("Import") { request, _, writer in try await importArchive(request, writer) },
    ]
  }
}
