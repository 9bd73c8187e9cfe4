import BerthAPI
import Core

extension RegistryCredentials {
  /// What a request of `berth.v1` says who asks; `nil` for nothing.
  /// - Parameters username, password: the request's older fields.
  init?(_ message: Berth_V1_Credentials, username: String = "", password: String = "") {
    self.init()
    self.username = message.username.isEmpty ? username : message.username
    self.password = message.username.isEmpty && message.password.isEmpty ? password : message.password
    identityToken = message.identityToken
    registryToken = message.registryToken
    serverAddress = message.serverAddress
    if isEmpty { return nil }
  }
}
