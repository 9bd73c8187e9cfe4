package import GRPC

extension ImageServiceSurface: GRPCService {
  package var name: String { "runtime.v1.ImageService" }

  package var methods: [GRPCMethod] {
    [
      .unary("ListImages") { request, _ in try listImages(request) },
      .unary("ImageStatus") { request, _ in try imageStatus(request) },
      .unary("PullImage") { request, _ in try await pullImage(request) },
      .unary("RemoveImage") { request, _ in try await removeImage(request) },
      .unary("ImageFsInfo") { request, _ in try await imageFsInfo(request) },
    ]
  }
}
