package import GRPC

extension ImageServiceSurface: GRPCService {
  package var name: String { "runtime.v1.ImageService" }

  package var methods: [GRPCMethod] {
    [
      .unary("ListImages") { request, _ in try listImages(request) },
      .immediate("ImageStatus") {
        try imageStatus($0)
      } otherwise: {
        try verboseImageStatus($0)
      },
      .unary("PullImage") { request, _ in try await pullImage(request) },
      .unary("RemoveImage") { request, _ in try await removeImage(request) },
      .unary("ImageFsInfo") { request, _ in imageFsInfo(request) },
      .encodedStreaming("StreamImages") { request, _, writer in try await streamImages(request, writer) },
    ]
  }
}
