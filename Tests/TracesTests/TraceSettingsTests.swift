import Core
import Testing
import Traces

/// What configuration and variables mean.
@Suite struct TraceSettingsTests {
  private static let base = "OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318"

  private func settings(_ environment: String..., change: (inout TraceOptions) -> Void = { _ in }) throws -> TraceSettings? {
    var options = TraceOptions()
    change(&options)
    return try TraceSettings.effective(options, environment: environment)
  }

  private func complaint(_ environment: String..., change: (inout TraceOptions) -> Void = { _ in }) -> String {
    var options = TraceOptions()
    change(&options)
    do {
      _ = try TraceSettings.effective(options, environment: [Self.base] + environment)
      return "none"
    } catch { return error.message }
  }

  @Test func nothingIsTracedUntilSomebodySaysWhere() throws {
    #expect(try settings() == nil)
    #expect(try settings("OTEL_SERVICE_NAME=x", "OTEL_BSP_MAX_QUEUE_SIZE=wrong") == nil)
    #expect(try settings("OTEL_EXPORTER_OTLP_ENDPOINT=") == nil)
    #expect(try settings(Self.base, "OTEL_SDK_DISABLED=TRUE") == nil)
    #expect(try settings(Self.base, "OTEL_SDK_DISABLED=yes") != nil)
    #expect(try settings(Self.base, "OTEL_TRACES_EXPORTER=none") == nil)
    #expect(try settings("OTEL_TRACES_EXPORTER=otlp")?.endpoint.display == "http://localhost:4318/v1/traces")
    #expect(try settings("OTEL_TRACES_EXPORTER=otlp", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc")?.endpoint.display == "http://localhost:4317")
  }

  @Test(arguments: [
    ("OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318", "http://c:4318/v1/traces"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT=https://c/", "https://c:443/v1/traces"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT=http://[::1]:9/a/b", "http://[::1]:9/a/b/v1/traces"),
    ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://c:4318", "http://c:4318/"),
    ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://c:4318/own", "http://c:4318/own"),
  ])
  func baseAndOwnEndpointsOfHTTP(_ variable: String, _ address: String) throws {
    let found = try #require(try settings(variable))
    #expect(found.endpoint.display == address && found.wire == .http)
  }

  @Test(arguments: [
    ("http://c:1/ignored", "http://c:1"), ("https://c:1", "https://c:1"), ("c:1", "https://c:1"), ("c", "https://c:4317"),
    ("unix:///run/c.sock", "unix:///run/c.sock"),
  ])
  func endpointsOfGRPC(_ text: String, _ address: String) throws {
    #expect(try settings("OTEL_EXPORTER_OTLP_ENDPOINT=" + text, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc")?.endpoint.display == address)
  }

  @Test func onlyAnEndpointWithoutASchemeAsksWhetherItIsInsecure() throws {
    let grpc = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=grpc"
    let insecure = "OTEL_EXPORTER_OTLP_INSECURE=true"
    #expect(try settings("OTEL_EXPORTER_OTLP_ENDPOINT=c:1", grpc, insecure)?.endpoint.isSecure == false)
    #expect(try settings("OTEL_EXPORTER_OTLP_ENDPOINT=https://c:1", grpc, insecure)?.endpoint.isSecure == true)
  }

  @Test func theTableIsThatOfCRIO() throws {
    let found = try #require(try settings("OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf") { $0.endpoint = "127.0.0.1:4317" })
    #expect(found.endpoint.display == "http://127.0.0.1:4317" && found.wire == .grpc)
    #expect(try settings { ($0.endpoint, $0.samplesPerMillion) = ("c:1", 0) }?.sampler == Sampler(.none))
    #expect(try settings { ($0.endpoint, $0.samplesPerMillion) = ("c:1", 250_000) }?.sampler == Sampler(.share(0.25)))
    #expect(try settings { ($0.endpoint, $0.trust.authorities) = ("c:1", "/ca.pem") }?.endpoint.isSecure == true)
    #expect(try settings { ($0.endpoint, $0.wire) = ("http://c:1", "http/protobuf") }?.endpoint.display == "http://c:1/v1/traces")
  }

  @Test func aKeyComesBeforeItsVariable() throws {
    let found = try #require(
      try settings("OTEL_EXPORTER_OTLP_TIMEOUT=1", "OTEL_EXPORTER_OTLP_HEADERS=A=1,b=2", "OTEL_TRACES_SAMPLER=always_off") {
        ($0.endpoint, $0.timeout, $0.samplesPerMillion, $0.headers) = ("c:1", .seconds(2), 1_000_000, ["a": "3"])
      })
    #expect(found.timeout == .seconds(2) && found.sampler == Sampler(.share(1)))
    #expect(found.headers == [TraceHeader("a", "3"), TraceHeader("b", "2")])
  }

  @Test func whatIsOfTracesAloneComesBeforeWhatIsOfAllSignals() throws {
    let found = try #require(
      try settings(
        "OTEL_EXPORTER_OTLP_ENDPOINT=http://all:1", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://traces:2/x",
        "OTEL_EXPORTER_OTLP_HEADERS=a=1",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS=b=x%20y%2Cz", "OTEL_EXPORTER_OTLP_TIMEOUT=5", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT=7",
        "OTEL_EXPORTER_OTLP_CERTIFICATE=/a", "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE=/b", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=/c",
        "OTEL_EXPORTER_OTLP_CLIENT_KEY=/k"))
    #expect(found.endpoint.display == "http://traces:2/x")
    #expect(found.headers == [TraceHeader("b", "x y,z")])
    #expect(found.timeout == .milliseconds(7))
    #expect(found.trust == TraceTrust(authorities: "/b", certificate: "/c", key: "/k"))
  }

  @Test(arguments: [
    ("always_on", Sampler(.all, followsParent: false)), ("always_off", Sampler(.none, followsParent: false)),
    ("traceidratio", Sampler(.share(0.5), followsParent: false)), ("parentbased_always_on", Sampler(.all)),
    ("parentbased_always_off", Sampler(.none)), ("parentbased_traceidratio", Sampler(.share(0.5))),
  ])
  func samplersByName(_ name: String, _ sampler: Sampler) throws {
    #expect(try settings(Self.base, "OTEL_TRACES_SAMPLER=" + name, "OTEL_TRACES_SAMPLER_ARG=0.5")?.sampler == sampler)
  }

  @Test func theBatchProcessorAndLimitsAreThoseOfTheVariables() throws {
    let standard = try #require(try settings(Self.base))
    #expect(standard.sampler == Sampler(.all) && standard.capacity == 2048 && standard.batch == 512)
    #expect(standard.delay == .seconds(5) && standard.patience == .seconds(30) && standard.timeout == .seconds(10))
    let found = try #require(
      try settings(
        Self.base, "OTEL_BSP_MAX_QUEUE_SIZE=10", "OTEL_BSP_SCHEDULE_DELAY=0", "OTEL_BSP_EXPORT_TIMEOUT=9", "OTEL_ATTRIBUTE_COUNT_LIMIT=1",
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT=2", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT=3", "OTEL_SPAN_EVENT_COUNT_LIMIT=4",
        "OTEL_SPAN_LINK_COUNT_LIMIT=5", "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT=6", "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT=7"))
    #expect(found.capacity == 10 && found.batch == 10 && found.delay == .zero && found.patience == .milliseconds(9))
    #expect(found.limits.attributes == 2 && found.limits.valueLength == 3 && found.limits.events == 4 && found.limits.links == 5)
    #expect(found.limits.eventAttributes == 6 && found.limits.linkAttributes == 7)
  }

  @Test func theResourceSaysWhoSpeaks() throws {
    func value(_ name: String, _ environment: String...) throws -> String? {
      try TraceSettings.effective(TraceOptions(), environment: [Self.base] + environment)?.resource.last { $0.name == name }?.value
    }
    let attributes = "OTEL_RESOURCE_ATTRIBUTES=service.name=one, deployment=a%20b"
    #expect(try value("service.name") == "berthd" && value("service.version") == Release.version)
    #expect(try value("telemetry.sdk.language") == "swift")
    #expect(try value("service.name", attributes) == "one" && value("deployment", attributes) == "a b")
    #expect(try value("service.name", attributes, "OTEL_SERVICE_NAME=two") == "two")
  }

  @Test func propagatorsAreTakenOrRefused() throws {
    #expect(try settings(Self.base, "OTEL_PROPAGATORS=tracecontext,baggage")?.takesParents == true)
    #expect(try settings(Self.base, "OTEL_PROPAGATORS=none")?.takesParents == false)
    #expect(complaint("OTEL_PROPAGATORS=b3").hasPrefix("OTEL_PROPAGATORS: "))
  }

  @Test(arguments: [
    "OTEL_EXPORTER_OTLP_PROTOCOL=http/json", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=smoke", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=c:4318",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://a b/", "OTEL_EXPORTER_OTLP_TIMEOUT=soon", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT=-1",
    "OTEL_EXPORTER_OTLP_COMPRESSION=zstd", "OTEL_TRACES_SAMPLER=xray", "OTEL_TRACES_EXPORTER=zipkin", "OTEL_BSP_MAX_QUEUE_SIZE=0",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=4096", "OTEL_BSP_SCHEDULE_DELAY=1.5", "OTEL_RESOURCE_ATTRIBUTES=a", "OTEL_RESOURCE_ATTRIBUTES=a=%zz",
    "OTEL_SPAN_EVENT_COUNT_LIMIT=many", "OTEL_CONFIG_FILE=/etc/otel.yaml",
  ])
  func whatCannotBeHonouredNamesItsVariable(_ variable: String) {
    let name = variable.prefix { $0 != "=" }
    #expect(complaint(variable).hasPrefix(name + ": "), "\(complaint(variable))")
  }

  @Test func aShareThatIsNoneNamesItsVariable() {
    let sampler = "OTEL_TRACES_SAMPLER=traceidratio"
    for share in ["2", "-0.1", "half", "nan"] {
      #expect(complaint(sampler, "OTEL_TRACES_SAMPLER_ARG=" + share).hasPrefix("OTEL_TRACES_SAMPLER_ARG: "))
    }
  }

  @Test(arguments: ["authorization", "=x", "a=%0aevil", "a=%0"])
  func brokenHeadersAreRefusedAndNotRepeated(_ text: String) {
    let complaint = complaint("OTEL_EXPORTER_OTLP_HEADERS=" + text + "secret")
    #expect(
      complaint.hasPrefix("OTEL_EXPORTER_OTLP_HEADERS") && !complaint.contains("evil") && !complaint.contains("found"), "\(complaint)")
  }

  @Test(arguments: ["content-type=x", "grpc-timeout=x", "te=x", "a b=x"])
  func headersOfTheProtocolItselfAreRefused(_ text: String) {
    #expect(complaint("OTEL_EXPORTER_OTLP_HEADERS=" + text).hasPrefix("OTEL_EXPORTER_OTLP_HEADERS"))
  }

  @Test func aWrongKeyIsNamed() {
    #expect(complaint { $0.endpoint = "http:/x y" }.hasPrefix("tracing.endpoint: "))
    #expect(complaint { ($0.endpoint, $0.wire) = ("c:1", "http/protobuf") }.hasPrefix("tracing.endpoint: "))
  }
}
