package import Core
import Linux

/// What the configuration says of tracing; `nil` leaves it to the environment, as OpenTelemetry's specification describes its variables.
package struct TraceOptions: Sendable, Equatable {
  package var endpoint: String?
  package var wire: String?
  package var samplesPerMillion: Int?
  package var headers: [String: String] = [:]
  package var trust = TraceTrust()
  package var timeout: Duration?
  /// `gzip` or `none`.
  package var compression: String?

  package init() {}
}

extension TraceSettings {
  /// What configuration and environment mean together; `nil` where no traces are to be sent.
  ///
  /// A key comes before its variable. What is wrong is INVALID_ARGUMENT and names the key or the variable.
  package static func effective(_ options: TraceOptions, environment: [String]) throws(Fault) -> TraceSettings? {
    let variables = TraceEnvironment(environment)
    guard try isWanted(options, variables) else { return nil }
    var settings = try endpoint(options, variables)
    try settings.takeConnection(options, variables)
    try settings.takeCompression(options, variables)
    settings.takeProxy(ProxySettings(environment: environment))
    try settings.takeSampling(options, variables)
    try settings.takeLimits(variables)
    try settings.takeResource(variables)
    try variables.refuse("OTEL_CONFIG_FILE", "OTEL_EXPERIMENTAL_CONFIG_FILE")
    return settings
  }

  private static func isWanted(_ options: TraceOptions, _ variables: TraceEnvironment) throws(Fault) -> Bool {
    if variables["OTEL_SDK_DISABLED"]?.lowercased() == "true" { return false }
    let exporters = variables.list("OTEL_TRACES_EXPORTER")
    if exporters == ["none"] { return false }
    let isNamed = variables.ofTraces("ENDPOINT") != nil || options.endpoint != nil
    guard isNamed || exporters != nil else { return false }
    if let exporters, exporters != ["otlp"] {
      throw variables.fault("OTEL_TRACES_EXPORTER", "must be otlp or none")
    }
    return true
  }

  private static func endpoint(_ options: TraceOptions, _ variables: TraceEnvironment) throws(Fault) -> TraceSettings {
    if let text = options.endpoint {
      let wire = try wire(options.wire, "tracing.protocol") ?? .grpc
      let isSecure = options.trust != TraceTrust()
      guard var endpoint = TraceEndpoint(text, wire, isSecure: isSecure) else {
        let wanted = wire == .grpc ? "host:port, an http or https address, or unix:// and a path" : "an http or https address"
        throw Fault(.invalidArgument, "tracing.endpoint: must be \(wanted), found \"\(text)\"")
      }
      if wire == .http, ["", "/"].contains(endpoint.path) { endpoint.path = "/v1/traces" }
      return TraceSettings(endpoint, wire)
    }
    return try variables.endpoint(wire: try wire(options.wire, "tracing.protocol"))
  }

  private static func wire(_ text: String?, _ name: String) throws(Fault) -> Wire? {
    guard let text else { return nil }
    guard let wire = Wire(rawValue: text) else {
      throw Fault(.invalidArgument, "\(name): must be grpc or http/protobuf, found \"\(text)\"")
    }
    return wire
  }

  private mutating func takeConnection(_ options: TraceOptions, _ variables: TraceEnvironment) throws(Fault) {
    let variable = variables.nameOfTraces("HEADERS")
    var byName: [String: String] = [:]
    for header in try variables.pairs(variable) { byName[header.name.lowercased()] = header.value }
    for (name, value) in options.headers { byName[name.lowercased()] = value }
    headers = byName.sorted { $0.key < $1.key }.map { TraceHeader($0.key, $0.value) }
    for header in headers where !header.isSendable {
      throw Fault(.invalidArgument, "\(variable) or tracing.headers: \"\(header.name)\" cannot be sent as a header")
    }
    trust.authorities = options.trust.authorities ?? variables.ofTraces("CERTIFICATE")
    trust.certificate = options.trust.certificate ?? variables.ofTraces("CLIENT_CERTIFICATE")
    trust.key = options.trust.key ?? variables.ofTraces("CLIENT_KEY")
    let limit = try variables.milliseconds(variables.nameOfTraces("TIMEOUT"), 1...86_400_000)
    timeout = options.timeout ?? limit ?? timeout
  }

  private mutating func takeCompression(_ options: TraceOptions, _ variables: TraceEnvironment) throws(Fault) {
    let complaint = "must be gzip or none"
    if let text = options.compression {
      guard let wanted = Compression(rawValue: text) else { throw Fault(.invalidArgument, "tracing.compression: \(complaint)") }
      compression = wanted
    } else if let text = variables.ofTraces("COMPRESSION") {
      guard let wanted = Compression(rawValue: text) else { throw variables.fault(variables.nameOfTraces("COMPRESSION"), complaint) }
      compression = wanted
    }
  }

  /// What the HTTP client cannot do is said where spans are sent: a proxy that was meant for others keeps no daemon from starting.
  private mutating func takeProxy(_ proxies: ProxySettings) {
    guard wire == .http, case .host(let host, let port) = endpoint.place else { return }
    do { proxy = try proxies.proxy(isSecure: endpoint.isSecure, host: host, port: port) } catch { obstacle = error.message }
    guard let proxy else { return }
    let isOnlyAddress = IPAddress(host) != nil && (endpoint.isSecure || host.contains(":"))
    guard proxy.kind == .https || isOnlyAddress else { return }
    let reason = proxy.kind == .https ? "that is itself asked by https" : "to a collector that is named by its address"
    obstacle = "a proxy \(reason) is not supported (\(proxy.display)); with NO_PROXY the collector is asked directly"
  }

  private mutating func takeSampling(_ options: TraceOptions, _ variables: TraceEnvironment) throws(Fault) {
    if let propagators = variables.list("OTEL_PROPAGATORS") {
      guard propagators == ["none"] || propagators.allSatisfy({ ["tracecontext", "baggage"].contains($0) }) else {
        throw variables.fault("OTEL_PROPAGATORS", "must be of tracecontext and baggage, or none")
      }
      takesParents = propagators.contains("tracecontext")
    }
    if let count = options.samplesPerMillion {
      sampler = Sampler(count == 0 ? .none : .share(Double(count) / 1_000_000))
    } else {
      sampler = try variables.sampler() ?? sampler
    }
  }

  private mutating func takeLimits(_ variables: TraceEnvironment) throws(Fault) {
    capacity = try variables.number("OTEL_BSP_MAX_QUEUE_SIZE", 1...1_000_000) ?? capacity
    batch = try variables.number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 1...100_000) ?? min(batch, capacity)
    guard batch <= capacity else {
      throw variables.fault("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "must not be more than OTEL_BSP_MAX_QUEUE_SIZE, which is \(capacity)")
    }
    delay = try variables.milliseconds("OTEL_BSP_SCHEDULE_DELAY", 0...86_400_000) ?? delay
    patience = try variables.milliseconds("OTEL_BSP_EXPORT_TIMEOUT", 1...86_400_000) ?? patience
    let any = 0...1_000_000
    limits.attributes = try variables.first(["OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT"], any) ?? limits.attributes
    limits.valueLength =
      try variables.first(["OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"], any) ?? limits.valueLength
    limits.events = try variables.number("OTEL_SPAN_EVENT_COUNT_LIMIT", any) ?? limits.events
    limits.links = try variables.number("OTEL_SPAN_LINK_COUNT_LIMIT", any) ?? limits.links
    limits.eventAttributes = try variables.number("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", any) ?? limits.eventAttributes
    limits.linkAttributes = try variables.number("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", any) ?? limits.linkAttributes
  }

  private mutating func takeResource(_ variables: TraceEnvironment) throws(Fault) {
    var all = [
      TraceHeader("service.name", "berthd"), TraceHeader("service.version", Release.version),
      TraceHeader("telemetry.sdk.name", "berth"), TraceHeader("telemetry.sdk.language", "swift"),
      TraceHeader("telemetry.sdk.version", Release.version), TraceHeader("os.type", "linux"),
    ]
    let host = SystemName.hostname()
    if !host.isEmpty { all.append(TraceHeader("host.name", host)) }
    let said = try variables.pairs("OTEL_RESOURCE_ATTRIBUTES")
    let name = variables["OTEL_SERVICE_NAME"].map { [TraceHeader("service.name", $0)] } ?? []
    for attribute in said + name {
      all.removeAll { $0.name == attribute.name }
      all.append(attribute)
    }
    resource = all
  }
}

extension TraceHeader {
  /// As a field of HTTP, and not one that the protocol itself sets.
  fileprivate var isSendable: Bool {
    let isToken = name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
      default: "-_.".utf8.contains(byte)
      }
    }
    let isOwn =
      name.hasPrefix("grpc-")
      || ["content-type", "content-encoding", "content-length", "te", "host", "connection", "transfer-encoding"].contains(name)
    return isToken && !isOwn && !name.isEmpty && value.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } && value.first != " "
      && value.last != " "
  }
}
