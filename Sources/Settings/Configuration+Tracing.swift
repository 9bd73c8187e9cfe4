extension Configuration {
  /// `[tracing]`: where traces go. What is not set here is taken from the variables of OpenTelemetry.
  package struct Tracing: Equatable, Sendable {
    /// `127.0.0.1:4317`, `https://collector.example:4317`; without one, and without one in the environment, nothing is traced.
    package var endpoint: String?
    /// Key `protocol`: `grpc` or `http/protobuf`; `nil` is grpc with an endpoint of this table.
    package var wire: String?
    /// Key `sampling_rate_per_million`: of calls whose caller did not decide.
    package var samplesPerMillion: Int?
    /// Key `timeout`: of one attempt to send.
    package var timeout: Duration?
    /// Key `compression`: of requests, `gzip` or `none`.
    package var compression: String?
    /// Table `headers`: sent along.
    package var headers: [String: String] = [:]
    /// Key `tls_ca`: authorities to trust beside the system's, PEM.
    package var tlsAuthorities: String?
    /// Keys `tls_cert` and `tls_key`: who we are; PEM.
    package var tlsCertificate: String?
    package var tlsKey: String?

    mutating func apply(_ table: inout TableReader) throws(SettingsError) {
      try table.set(&endpoint, "endpoint")
      try table.set(&wire, "protocol") { ["grpc", "http/protobuf"].contains($0) ? nil : "must be grpc or http/protobuf" }
      try table.set(&samplesPerMillion, "sampling_rate_per_million", check: Check.range(0...1_000_000))
      try table.set(&timeout, "timeout", check: Check.duration(.milliseconds(1) ... .seconds(86400)))
      try table.set(&compression, "compression") { ["gzip", "none"].contains($0) ? nil : "must be gzip or none" }
      try table.set(&tlsAuthorities, "tls_ca", check: Check.absolute)
      try table.set(&tlsCertificate, "tls_cert", check: Check.absolute)
      try table.set(&tlsKey, "tls_key", check: Check.absolute)
      try table.within("headers") { (table) throws(SettingsError) in
        for name in table.rest { headers[name] = try table.take(name) }
      }
    }
  }
}
