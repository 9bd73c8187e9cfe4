import Core
import GRPC
import NIOCore
import NIOSSL
import SwiftProtobuf

/// OTLP/gRPC: a unary call for each batch, on one connection that is made when first needed, and again when it was lost.
actor GRPCTraceExporter: TraceExporter {
  private static let method = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

  private let settings: TraceSettings
  private let trust: LoadedTrust
  private let group: any EventLoopGroup
  private var client: GRPCClient?

  init(_ settings: TraceSettings, _ trust: LoadedTrust, group: any EventLoopGroup) {
    (self.settings, self.trust, self.group) = (settings, trust, group)
  }

  func send(_ request: OTLPExportRequest, timeout: Duration) async -> ExportOutcome {
    var metadata = GRPCMetadata()
    for header in settings.headers { metadata.add(header.name, header.value) }
    do throws(GRPCStatus) {
      let response: OTLPExportResponse = try await connected().unary(Self.method, request, metadata: metadata, timeout: timeout)
      return .init(response)
    } catch { return await outcome(error) }
  }

  func close() async {
    await client?.close()
    client = nil
  }

  /// One caller at a time: the sender's batches follow each other.
  private func connected() async throws(GRPCStatus) -> GRPCClient {
    if let client, client.isConnected { return client }
    let made = try await connect()
    client = made
    return made
  }

  private func connect() async throws(GRPCStatus) -> GRPCClient {
    var configuration = GRPCClientConfiguration()
    configuration.userAgent = TraceSettings.userAgent
    configuration.maxResponseSize = 1 << 20
    if settings.compression == .gzip { configuration.compression = .gzip }
    switch settings.endpoint.place {
    case .unix(let path): return try await .connect(unixSocket: path, configuration: configuration)
    case .host(let host, let port):
      var secure: (@Sendable (any Channel) throws -> Void)?
      if settings.endpoint.isSecure { secure = { [trust] channel in try Self.secure(channel, trust, host) } }
      return try await .connect(
        host: host, port: port, authority: settings.endpoint.authority, on: group, configuration: configuration, secure: secure)
    }
  }

  private static func secure(_ channel: any Channel, _ trust: LoadedTrust, _ host: String) throws {
    // An address is no name that a server could be asked for.
    let name = (try? SocketAddress(ipAddress: host, port: 0)) == nil ? host : nil
    try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: try trust.context(), serverHostname: name))
  }

  /// Which statuses are worth another attempt (OTLP specification, "OTLP/gRPC response").
  private func outcome(_ status: GRPCStatus) async -> ExportOutcome {
    let reason = "\(status)"
    let delay = (try? OTLPRefusal(serializedBytes: status.details))?.retryDelay
    switch status.code {
    case .unavailable, .cancelled, .deadlineExceeded, .aborted, .outOfRange, .dataLoss: return .later(after: delay, reason: reason)
    case .resourceExhausted where delay != nil: return .later(after: delay, reason: reason)
    default: return .refused(reason: reason)
    }
  }
}

extension GRPCCompression {
  fileprivate static let gzip = GRPCCompression(name: "gzip", pack: { Gzip.pack($0) }, unpack: { Gzip.unpack($0, limit: $1) })
}
