import Core

/// The variables of OpenTelemetry's specification (SDK environment variables, OTLP exporter). An empty one is as one that is not set.
struct TraceEnvironment {
  private let values: [String: String]

  init(_ environment: [String]) {
    var values: [String: String] = [:]
    for entry in environment where entry.hasPrefix("OTEL_") {
      guard let sign = entry.firstIndex(of: "=") else { continue }
      let value = entry[entry.index(after: sign)...]
      if !value.isEmpty { values[String(entry[..<sign])] = String(value) }
    }
    self.values = values
  }

  subscript(name: String) -> String? { values[name] }

  /// The variable of traces alone where it is set, that of all signals otherwise.
  func nameOfTraces(_ option: String) -> String {
    let own = "OTEL_EXPORTER_OTLP_TRACES_" + option
    return values[own] == nil ? "OTEL_EXPORTER_OTLP_" + option : own
  }

  func ofTraces(_ option: String) -> String? { values[nameOfTraces(option)] }

  /// The value itself may be a credential, and is told only where it cannot be one.
  func fault(_ name: String, _ complaint: String) -> Fault {
    let value = name.hasSuffix("HEADERS") ? "" : ", found \"\((values[name] ?? "").prefix(200))\""
    return Fault(.invalidArgument, "\(name): \(complaint)\(value)")
  }

  /// Of which nothing is known here.
  func refuse(_ names: String...) throws(Fault) {
    for name in names where values[name] != nil { throw fault(name, "is not supported") }
  }

  func number(_ name: String, _ range: ClosedRange<Int>) throws(Fault) -> Int? {
    guard let text = values[name] else { return nil }
    guard let number = Int(text), range.contains(number) else {
      throw fault(name, "must be a whole number between \(range.lowerBound) and \(range.upperBound)")
    }
    return number
  }

  /// The first one of these that is set.
  func first(_ names: [String], _ range: ClosedRange<Int>) throws(Fault) -> Int? {
    guard let name = names.first(where: { values[$0] != nil }) else { return nil }
    return try number(name, range)
  }

  func milliseconds(_ name: String, _ range: ClosedRange<Int>) throws(Fault) -> Duration? {
    try number(name, range).map { .milliseconds($0) }
  }

  /// Words joined by commas; `nil` without any.
  func list(_ name: String) -> [String]? {
    values[name].map { $0.split(separator: ",").map { String($0.trimmed) } }
  }

  /// `name=value` joined by commas, values percent-encoded (the encoding of W3C Baggage).
  func pairs(_ name: String) throws(Fault) -> [TraceHeader] {
    var pairs: [TraceHeader] = []
    for part in (values[name] ?? "").split(separator: ",") where !part.trimmed.isEmpty {
      guard let sign = part.firstIndex(of: "="), let value = decoded(part[part.index(after: sign)...].trimmed) else {
        throw fault(name, "must be name=value pairs joined by commas, values percent-encoded")
      }
      let key = part[..<sign].trimmed
      guard !key.isEmpty else { throw fault(name, "must be name=value pairs joined by commas: a name is empty") }
      pairs.append(TraceHeader(String(key), value))
    }
    return pairs
  }

  /// `nil` where it is malformed or no UTF-8.
  private func decoded(_ text: Substring) -> String? {
    let (bytes, isWhole) = PercentEscapes.decode(text)
    return isWhole ? String(validating: bytes, as: UTF8.self) : nil
  }

  func sampler() throws(Fault) -> Sampler? {
    let name = "OTEL_TRACES_SAMPLER"
    switch values[name] {
    case nil: return nil
    case "always_on": return Sampler(.all, followsParent: false)
    case "always_off": return Sampler(.none, followsParent: false)
    case "traceidratio": return Sampler(.share(try share()), followsParent: false)
    case "parentbased_always_on": return Sampler(.all)
    case "parentbased_always_off": return Sampler(.none)
    case "parentbased_traceidratio": return Sampler(.share(try share()))
    default: throw fault(name, "must be always_on, always_off, traceidratio, or one of these after parentbased_")
    }
  }

  private func share() throws(Fault) -> Double {
    let name = "OTEL_TRACES_SAMPLER_ARG"
    guard let text = values[name] else { return 1 }
    guard let share = Double(text), (0...1).contains(share) else { throw fault(name, "must be between 0 and 1") }
    return share
  }

  /// The base of all signals has the path of traces added; their own is used as it is.
  func endpoint(wire asked: TraceSettings.Wire?) throws(Fault) -> TraceSettings {
    let known = try self.wire()
    let wire = asked ?? known ?? .http
    let name = nameOfTraces("ENDPOINT")
    guard let text = values[name] else {
      return TraceSettings(
        TraceEndpoint(.host("localhost", port: wire == .grpc ? 4317 : 4318), isSecure: false, path: wire == .grpc ? "" : "/v1/traces"), wire
      )
    }
    let isInsecure = ofTraces("INSECURE")?.lowercased() == "true"
    guard var endpoint = TraceEndpoint(text, wire, isSecure: !isInsecure) else {
      let more = wire == .grpc ? ", host:port, or unix:// and a path" : ""
      throw fault(name, "must be an http or https address\(more)")
    }
    if wire == .http {
      if name == "OTEL_EXPORTER_OTLP_ENDPOINT" { endpoint.path += (endpoint.path.hasSuffix("/") ? "" : "/") + "v1/traces" }
      if endpoint.path.isEmpty { endpoint.path = "/" }
    }
    return TraceSettings(endpoint, wire)
  }

  private func wire() throws(Fault) -> TraceSettings.Wire? {
    guard let text = ofTraces("PROTOCOL") else { return nil }
    guard let wire = TraceSettings.Wire(rawValue: text) else {
      throw fault(nameOfTraces("PROTOCOL"), "must be grpc or http/protobuf")
    }
    return wire
  }
}
