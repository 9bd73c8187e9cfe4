package import Core
package import Engine
package import GRPC

/// The surface of `berth.v1.Berth`: what the CRI cannot say. One file per RPC beside this one.
package struct BerthService: GRPCService {
  let images: ImageService
  let usage: ImageUsage
  let registry: any RegistryExplaining & RegistryTarget & RegistryReferrers
  let packer: any ArchivePacker
  let pods: PodService
  let streaming: any StreamingEndpoint
  /// Opens an archive on this node as a source of images.
  let archives: @Sendable (String) async throws -> any ImageArchive

  package init(
    images: ImageService, usage: ImageUsage, registry: any RegistryExplaining & RegistryTarget & RegistryReferrers,
    packer: any ArchivePacker,
    pods: PodService, streaming: any StreamingEndpoint,
    archives: @escaping @Sendable (String) async throws -> any ImageArchive
  ) {
    self.images = images
    self.usage = usage
    self.registry = registry
    self.packer = packer
    self.pods = pods
    self.streaming = streaming
    self.archives = archives
  }

  package var name: String { "berth.v1.Berth" }

  package var methods: [GRPCMethod] {
    [
      .serverStreaming("Pull") { request, _, writer in try await pull(request, writer) },
      .serverStreaming("Push") { request, _, writer in try await push(request, writer) },
      .serverStreaming("Export") { request, _, writer in try await export(request, writer) },
      .serverStreaming("VerifyImages") { request, _, writer in try await verifyImages(request, writer) },
      .unary("TagImage") { request, _ in try await tagImage(request) },
      .unary("PruneImages") { request, _ in try await pruneImages(request) },
      .unary("DiskUsage") { request, _ in try await diskUsage(request) },
      .unary("ExplainRegistry") { request, _ in try await explainRegistry(request) },
      .unary("ListReferrers") { request, _ in try await listReferrers(request) },
      .unary("ListNamespaces") { request, _ in listNamespaces(request) },
      .unary("ListPulls") { request, _ in listPulls(request) },
      .unary("Attach") { request, _ in try await attach(request) },
      .serverStreaming("Import") { request, _, writer in try await importArchive(request, writer) },
    ]
  }
}
