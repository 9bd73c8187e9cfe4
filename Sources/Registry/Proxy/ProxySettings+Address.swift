import Core

extension ProxySettings {
  /// `nil` where the address is asked directly. FAILED_PRECONDITION where the variable makes no sense.
  func proxy(for address: WebAddress) throws(Fault) -> Proxy? {
    let place = HostAndPort(address.authority)
    return try proxy(
      isSecure: address.scheme == .https, host: place?.host ?? address.authority, port: place?.port ?? address.scheme.defaultPort)
  }
}
