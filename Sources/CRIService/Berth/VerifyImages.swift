import BerthAPI
import Core
import Engine
import GRPC
import OCI
import SwiftProtobuf

extension BerthService {
  func verifyImages(_ request: Berth_V1_VerifyImagesRequest, _ writer: GRPCResponseWriter<Berth_V1_VerifiedImage>) async throws {
    let credentials = RegistryCredentials(request.credentials, username: request.username, password: request.password)
    try await images.verify(request.images, repairing: request.repair ? .some(credentials) : .none) { verdict in
      try await writer.write(verdict.message)
    }
  }
}

extension ImageVerdict {
  fileprivate var message: Berth_V1_VerifiedImage {
    .with {
      $0.id = image.id.description
      $0.references = image.tags + image.digests
      $0.findings = findings + blobs.map(\.line)
      $0.whole = isWhole
      $0.layers = layers.map { layer in
        .with {
          $0.id = layer.id.description
          $0.findings = layer.findings
          $0.repaired = layer.isRepaired
          $0.failure = layer.failure
        }
      }
    }
  }
}
