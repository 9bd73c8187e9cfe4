import BerthAPI
import Core
import Engine
import OCI
import SwiftProtobuf

extension BerthService {
  func listReferrers(_ request: Berth_V1_ListReferrersRequest) async throws -> Berth_V1_ListReferrersResponse {
    let reference: ImageReference
    do { reference = try ImageReference(parsing: request.reference) } catch {
      throw Fault(.invalidArgument, "image \"\(request.reference.prefix(300))\": \(error)")
    }
    let type = request.artifactType.isEmpty ? nil : request.artifactType
    let found = try await registry.referrers(of: reference, type: type, credentials: RegistryCredentials(request.credentials))
    return .with {
      $0.reference = "\(reference)"
      $0.digest = "\(found.subject)"
      $0.referrers = found.referrers.map(\.referrer)
    }
  }

  func listNamespaces(_ request: Berth_V1_ListNamespacesRequest) -> Berth_V1_ListNamespacesResponse {
    .with {
      $0.namespaces = images.namespaceCounts.map { one in .with { ($0.name, $0.images) = (one.name, UInt32(clamping: one.images)) } }
    }
  }
}

extension Descriptor {
  fileprivate var referrer: Berth_V1_Referrer {
    .with {
      $0.digest = "\(digest)"
      $0.mediaType = mediaType
      $0.artifactType = artifactType ?? ""
      $0.size = UInt64(clamping: size)
      $0.annotations = annotations ?? [:]
    }
  }
}
