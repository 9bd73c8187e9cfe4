import AsyncHTTPClient
import Core
import NIOCore
import NIOHTTP1
import SwiftProtobuf

/// OTLP/HTTP with protobuf: a POST for each batch (OTLP specification, "OTLP/HTTP").
final class HTTPTraceExporter: TraceExporter {
  /// Of a response.
  private static let limit = 64 << 10

  private let client: HTTPClient
  private let settings: TraceSettings
  private let trust: LoadedTrust

  init(_ settings: TraceSettings, _ trust: LoadedTrust, group: any EventLoopGroup) {
    (self.settings, self.trust) = (settings, trust)
    var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
    configuration.httpVersion = .http1Only
    configuration.proxy = settings.proxy.map(HTTPClient.Configuration.Proxy.init)
    configuration.connectionPool.retryConnectionEstablishment = false
    client = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
  }

  func send(_ request: OTLPExportRequest, timeout: Duration) async -> ExportOutcome {
    if let obstacle = settings.obstacle { return .refused(reason: obstacle) }
    do {
      var message = HTTPClientRequest(url: settings.endpoint.display)
      message.method = .POST
      message.headers = ["Content-Type": "application/x-protobuf", "User-Agent": TraceSettings.userAgent]
      for header in settings.headers { message.headers.replaceOrAdd(name: header.name, value: header.value) }
      message.body = .bytes(ByteBuffer(bytes: try packed(try request.serializedBytes(), &message.headers)))
      if settings.endpoint.isSecure { message.tlsConfiguration = try trust.configuration() }
      let response = try await client.execute(message, timeout: TimeAmount(timeout))
      let body = try await response.body.collect(upTo: Self.limit)
      return Self.outcome(response, Array(body.readableBytesView))
    } catch { return .later(after: nil, reason: "\(error)") }
  }

  private func packed(_ bytes: [UInt8], _ headers: inout HTTPHeaders) throws(Fault) -> [UInt8] {
    guard settings.compression == .gzip else { return bytes }
    guard let packed = Gzip.pack(bytes) else { throw Fault(.internal, "gzip: out of memory") }
    headers.replaceOrAdd(name: "Content-Encoding", value: "gzip")
    return packed
  }

  private static func outcome(_ response: HTTPClientResponse, _ body: [UInt8]) -> ExportOutcome {
    let status = response.status.code
    guard (200..<300).contains(status) else {
      let message = (try? OTLPRefusal(serializedBytes: body))?.message ?? ""
      let reason = "HTTP \(status)\(message.isEmpty ? "" : ": \(message.prefix(300))")"
      guard [429, 502, 503, 504].contains(status) else { return .refused(reason: reason) }
      return .later(after: response.headers.first(name: "Retry-After").flatMap { RetryAfter.parse($0) }, reason: reason)
    }
    return .init((try? OTLPExportResponse(serializedBytes: body)) ?? OTLPExportResponse())
  }

  func close() async { try? await client.shutdown() }
}

extension TraceSettings {
  /// As OTLP's specification wants exporters to name themselves.
  static let userAgent = "OTel-OTLP-Exporter-Swift/\(Release.version) berthd/\(Release.version)"
}

extension HTTPClient.Configuration.Proxy {
  fileprivate init(_ proxy: ProxySettings.Proxy) {
    self =
      proxy.kind == .socks
      ? .socksServer(host: proxy.host, port: proxy.port)
      : .server(host: proxy.host, port: proxy.port, authorization: proxy.basic.map { .basic(credentials: $0) })
  }
}
