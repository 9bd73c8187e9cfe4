import NIOCore
import Settings
import Streaming

extension StreamingConfiguration {
  init(_ settings: Configuration.Streaming) {
    self.init()
    address = settings.address
    port = settings.port
    limits.idleTime = TimeAmount(settings.idleTimeout)
    guard let certificate = settings.tlsCertificate, let key = settings.tlsKey else { return }
    tls = TLS(
      certificate: certificate, key: key, clientCA: settings.tlsClientCA,
      minimumVersion: settings.tlsMinimumVersion == .v13 ? .v13 : .v12)
  }
}
