import CRIAPI
import Core
import Engine
import OCI
import SwiftProtobuf

extension ImageServiceSurface {
  func pullImage(_ request: Runtime_V1_PullImageRequest) async throws -> Runtime_V1_PullImageResponse {
    guard !request.image.image.isEmpty else { throw Fault(.invalidArgument, "image.image: the name is empty") }
    guard handlers.contains(request.image.runtimeHandler) else {
      throw Fault(.invalidArgument, "image.runtime_handler: \"\(request.image.runtimeHandler.prefix(100))\" is not configured")
    }
    let credentials = request.hasAuth ? try credentials(request.auth) : nil
    do {
      let record = try await images.pull(request.image.image, credentials: credentials)
      try await images.index.annotate(record.id, request.image.annotations)
      return .with { $0.imageRef = record.id.description }
    } catch { throw Self.named(Fault(error)) }
  }

  /// The kubelet knows a rejected image, and a registry that does not answer, by a word at the beginning of an error without a code (cri-api, pkg/errors).
  private static func named(_ fault: Fault) -> Fault {
    if fault.cause is ImageRejected { return Fault(.unknown, "SignatureValidationFailed: \(fault.message)", cause: fault.cause) }
    guard fault.code == .unavailable, !(fault.cause is UntrustedHost) else { return fault }
    return Fault(.unknown, "RegistryUnavailable: \(fault.message)", cause: fault.cause)
  }

  /// `auth` is base64 of `username:password` (docker config.json); explicit fields come first.
  private func credentials(_ auth: Runtime_V1_AuthConfig) throws -> RegistryCredentials? {
    var credentials = RegistryCredentials()
    credentials.username = auth.username
    credentials.password = auth.password
    credentials.identityToken = auth.identityToken
    credentials.registryToken = auth.registryToken
    credentials.serverAddress = auth.serverAddress
    if auth.username.isEmpty, !auth.auth.isEmpty { (credentials.username, credentials.password) = try decode(auth.auth) }
    return credentials.isEmpty ? nil : credentials
  }

  private func decode(_ auth: String) throws -> (String, String) {
    guard let basic = RegistryCredentials.decodeBasic(auth) else {
      throw Fault(.invalidArgument, "auth.auth: is not base64 of username:password")
    }
    return basic
  }
}
