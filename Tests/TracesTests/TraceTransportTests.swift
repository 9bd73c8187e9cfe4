import Core
import Linux
import NIOHTTP1
import NIOPosix
import Support
import Testing

@testable import Traces

/// How requests are packed, and which way they go.
@Suite(.serialized) struct TraceTransportTests {
  private func settings(_ environment: String..., change: (inout TraceOptions) -> Void = { _ in }) throws -> TraceSettings {
    var options = TraceOptions()
    change(&options)
    let base = "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector.test:4318"
    return try #require(try TraceSettings.effective(options, environment: [base] + environment))
  }

  @Test func `the key comes before the variable, and traces' own before that of all`() throws {
    #expect(try settings().compression == .none)
    #expect(try settings("OTEL_EXPORTER_OTLP_COMPRESSION=gzip").compression == .gzip)
    #expect(try settings("OTEL_EXPORTER_OTLP_COMPRESSION=gzip", "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION=none").compression == .none)
    #expect(try settings("OTEL_EXPORTER_OTLP_COMPRESSION=gzip") { $0.compression = "none" }.compression == .none)
    #expect(throws: Fault.self) { try settings { $0.compression = "zip" } }
  }

  @Test func `what is packed is what gzip unpacks`() async throws {
    let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 50 &* 7) }
    for content in [[], [1], bytes] {
      let packed = try #require(Gzip.pack(content))
      #expect(Gzip.unpack(packed, limit: content.count) == content)
      let output = try await Command.run("/bin/gzip", ["-dc"], input: packed, timeout: .seconds(20), outputLimit: 1 << 20)
      #expect(output.succeeded && output.stdout == content)
    }
    let packed = try #require(Gzip.pack(bytes))
    #expect(packed.count < bytes.count / 4)
    #expect(Gzip.unpack(packed, limit: bytes.count - 1) == nil && Gzip.unpack(packed + [0], limit: bytes.count) == nil)
    #expect(Gzip.unpack(packed.dropLast(), limit: bytes.count) == nil && Gzip.unpack(bytes, limit: bytes.count) == nil)
  }

  @Test func `proxies of the environment are for OTLP over HTTP, unless they are told not to be`() throws {
    let proxy = "HTTP_PROXY=http://u:p@proxy.test:3128"
    #expect(try settings(proxy).proxy?.display == "http://proxy.test:3128")
    #expect(try settings("http_proxy=socks5://proxy.test").proxy?.display == "socks5://proxy.test:1080")
    #expect(try settings("HTTPS_PROXY=http://proxy.test:3128").proxy == nil)
    #expect(try settings(proxy, "NO_PROXY=.test").proxy == nil)
    #expect(try settings(proxy, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc").proxy == nil)
    #expect(try settings(proxy, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://127.0.0.1:1").proxy == nil)
    #expect(try settings("HTTPS_PROXY=http://p", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=https://c.test").proxy?.host == "p")
  }

  @Test(arguments: [
    ["HTTP_PROXY=https://proxy.test"], ["HTTP_PROXY=gopher://proxy.test"],
    ["HTTP_PROXY=http://proxy.test", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://[fd00::1]:4318"],
    ["HTTPS_PROXY=http://proxy.test", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=https://192.0.2.1"],
  ])
  func `a proxy that cannot be used is said where spans are sent`(_ environment: [String]) async throws {
    let base = "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector.test:4318"
    let settings = try #require(try TraceSettings.effective(TraceOptions(), environment: [base] + environment))
    let exporter = HTTPTraceExporter(settings, LoadedTrust(TraceTrust(), protocols: []), group: .singletonMultiThreadedEventLoopGroup)
    let outcome = await exporter.send(OTLPExportRequest(), timeout: .seconds(10))
    await exporter.close()
    guard case .refused(let reason) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(reason.contains("not supported"), "\(reason)")
  }

  @Test(arguments: [TraceSettings.Compression.none, .gzip])
  func `a batch goes through the proxy, with its credentials`(_ compression: TraceSettings.Compression) async throws {
    var options = RelayProxy.Options()
    options.authorization = "Basic dTpw"
    try await withHostileServer({ _ in .response(200, ["Content-Type": "application/x-protobuf"]) }) { server in
      options.destination = server.port
      try await RelayProxy.with(options) { proxy in
        let settings = try settings("HTTP_PROXY=http://u:p@127.0.0.1:\(proxy.port)") { $0.compression = compression.rawValue }
        let exporter = HTTPTraceExporter(settings, LoadedTrust(TraceTrust(), protocols: []), group: .singletonMultiThreadedEventLoopGroup)
        let outcome = await exporter.send(OTLPExportRequest(), timeout: .seconds(10))
        await exporter.close()
        #expect(outcome == .taken(rejected: 0, message: "") && proxy.targets == ["collector.test:4318"])
        let request = try #require(server.requests.first)
        #expect(request.path == "/v1/traces" && request.headers.first(name: "Content-Encoding") == (compression == .gzip ? "gzip" : nil))
      }
    }
  }
}
