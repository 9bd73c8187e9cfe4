package import HTTP2

/// How a client talks.
package struct GRPCClientConfiguration: Sendable {
  /// Bytes of one request, and of one response message.
  package var maxRequestSize = 16 << 20
  package var maxResponseSize = 16 << 20
  /// How long connecting may take.
  package var connectTimeout = Duration.seconds(5)
  package var userAgent = "berth"
  /// Of requests; answers may then be packed likewise.
  package var compression: GRPCCompression?
  package var http2 = SessionConfiguration()

  package init() {}
}
