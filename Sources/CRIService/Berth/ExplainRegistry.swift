import BerthAPI
import Core
import OCI
import SwiftProtobuf

extension BerthService {
  func explainRegistry(_ request: Berth_V1_ExplainRegistryRequest) async throws -> Berth_V1_ExplainRegistryResponse {
    let reference: ImageReference
    do { reference = try ImageReference(parsing: request.reference) } catch {
      throw Fault(.invalidArgument, "image \"\(request.reference.prefix(300))\": \(error)")
    }
    let credentials = RegistryCredentials(request.credentials, username: request.username, password: request.password)
    let endpoints = try await registry.explain(reference, credentials: credentials, trying: request.try)
    return .with {
      $0.reference = "\(reference)"
      $0.endpoints = endpoints.map(\.message)
    }
  }
}

extension ExplainedEndpoint {
  fileprivate var message: Berth_V1_RegistryEndpoint {
    .with {
      $0.url = url
      $0.capabilities = capabilities
      $0.server = isServer
      $0.credentials = credentials
      $0.proxy = proxy
      $0.used = isUsed
      $0.reason = reason
      $0.settings = settings
      $0.answer = answer
      $0.milliseconds = milliseconds
    }
  }
}
