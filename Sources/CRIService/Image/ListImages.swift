import CRIAPI
import Engine
import GRPC
import OCI
import SwiftProtobuf

extension ImageServiceSurface {
  func listImages(_ request: Runtime_V1_ListImagesRequest) throws -> Runtime_V1_ListImagesResponse {
    let records = try records(request.filter)
    return .with { $0.images = records.map(criImage) }
  }

  func streamImages(_ request: Runtime_V1_StreamImagesRequest, _ writer: EncodedResponseWriter) async throws {
    try await Batches.send(try records(request.filter), to: writer) { [Wire.encode(criImage($0))] }
  }

  private func records(_ filter: Runtime_V1_ImageFilter) throws -> [ImageRecord] {
    let wanted = filter.image.image
    let records = wanted.isEmpty ? images.index.list() : try images.find(wanted).map { [$0] } ?? []
    return records.sorted { $0.id.hex < $1.id.hex }
  }

  func criImage(_ record: ImageRecord) -> Runtime_V1_Image { record.criImage(isPinned: pinned.contains(record)) }
}
