import CRIAPI
import Engine
import OCI
import SwiftProtobuf

extension ImageServiceSurface {
  func listImages(_ request: Runtime_V1_ListImagesRequest) throws -> Runtime_V1_ListImagesResponse {
    let wanted = request.filter.image.image
    let records = wanted.isEmpty ? images.index.list() : try images.find(wanted).map { [$0] } ?? []
    return .with { $0.images = records.sorted { $0.id.hex < $1.id.hex }.map(\.criImage) }
  }
}
