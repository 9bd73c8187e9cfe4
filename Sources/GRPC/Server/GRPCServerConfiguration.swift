package import HTTP2
package import NIOCore

/// Where a server listens.
package enum GRPCAddress: Sendable, Hashable {
  /// A socket at `path` with exactly these permissions; a stale one is replaced.
  case unix(path: String, mode: UInt32)
  /// 127.0.0.1; port 0 for any.
  case loopback(port: Int)
}

/// How a server serves.
package struct GRPCServerConfiguration: Sendable {
  package var address: GRPCAddress
  /// Bytes of one request, and of one response message.
  package var maxRequestSize = 16 << 20
  package var maxResponseSize = 16 << 20
  package var http2 = SessionConfiguration()
  /// Event loops to run on; `nil` for one thread of the server's own.
  package var eventLoops: (any EventLoopGroup)?

  package init(_ address: GRPCAddress) { self.address = address }

  package init(unixSocket path: String, mode: UInt32 = 0o660) { self.init(.unix(path: path, mode: mode)) }
}
