extension Configuration {
  /// `[streaming]`: the HTTP server of Exec, Attach and PortForward.
  package struct Streaming: Equatable, Sendable {
    package enum TLSVersion: String, CaseIterable, Sendable {
      case v12 = "1.2"
      case v13 = "1.3"
    }

    /// A literal address; who listens on all is reached on the loopback.
    package var address = "127.0.0.1"
    /// 0 for any.
    package var port = 0
    /// Key `idle_timeout`: a session on which nothing goes either way ends after this.
    package var idleTimeout = Duration.seconds(4 * 3600)
    /// Keys `tls_cert` and `tls_key`: paths of PEM files; without both it is plain HTTP.
    package var tlsCertificate: String?
    package var tlsKey: String?
    /// Key `tls_client_ca`: where set, clients need a certificate of these authorities.
    package var tlsClientCA: String?
    /// Key `tls_min_version`
    package var tlsMinimumVersion = TLSVersion.v12
  }
}

extension Configuration.Streaming {
  mutating func apply(_ table: inout TableReader) throws(SettingsError) {
    try table.set(&address, "address", check: Check.ipAddress)
    try table.set(&port, "port", check: Check.range(0...65535))
    try table.set(&idleTimeout, "idle_timeout", check: Check.positive)
    try table.set(&tlsCertificate, "tls_cert", check: Check.absolute)
    try table.set(&tlsKey, "tls_key", check: Check.absolute)
    try table.set(&tlsClientCA, "tls_client_ca", check: Check.absolute)
    try table.set(&tlsMinimumVersion, "tls_min_version")
  }
}

extension Configuration {
  /// A drop-in may name the key of a certificate that another one names, so this is asked when all are read.
  func checkTLS(_ documents: [Document]) throws(SettingsError) {
    try check(documents, "streaming", streaming.tlsCertificate, streaming.tlsKey, streaming.tlsClientCA)
    try check(documents, "tracing", tracing.tlsCertificate, tracing.tlsKey, nil)
    try check(documents, "metrics", metrics.tlsCertificate, metrics.tlsKey, metrics.tlsClientCA)
  }

  private func check(_ documents: [Document], _ table: String, _ certificate: String?, _ key: String?, _ clientCA: String?)
    throws(SettingsError)
  {
    func require(_ name: String, for other: String) throws(SettingsError) {
      guard let document = documents.last(where: { $0.keys.line(of: [table, other]) != nil }) else { return }
      throw SettingsError(
        document.file, line: document.keys.line(of: [table, other]), "\"\(table).\(other)\" needs \"\(table).\(name)\", too")
    }
    if certificate != nil, key == nil { try require("tls_key", for: "tls_cert") }
    if certificate == nil, key != nil { try require("tls_cert", for: "tls_key") }
    if certificate == nil, clientCA != nil { try require("tls_cert", for: "tls_client_ca") }
  }
}

extension Configuration.Streaming.TLSVersion: SettingValue {
  static var expected: String { "one of " + allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ") }
}

extension Check {
  static func positive(_ duration: Duration) -> String? { duration > .zero ? nil : "must be longer than 0" }

  /// IPv4 in four numbers, or anything that could be IPv6: the kernel says the rest when it binds.
  static func ipAddress(_ text: String) -> String? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    let isFour = parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    let isSix = text.contains(":") && text.utf8.allSatisfy { "0123456789abcdefABCDEF:.".utf8.contains($0) }
    return isFour || isSix ? nil : "must be an IP address, found \"\(text)\""
  }
}
