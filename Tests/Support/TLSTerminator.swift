import CLinux
import Core
import Linux

/// nginx as what ends TLS before a registry, on a free loopback port. Wants a certificate of clients where it has an authority for them.
package struct TLSTerminator: Sendable {
  package let port: Int
  package var authority: String { "127.0.0.1:\(port)" }

  /// Runs nginx before the server on loopback port `backend` while `body` runs.
  package static func with<T>(
    _ identity: TestAuthority.Identity, clients: String? = nil, backend: Int, isolation: isolated (any Actor)? = #isolation,
    _ body: (TLSTerminator) async throws -> T
  ) async throws -> T {
    try await withScratch("nginx") { scratch in
      let terminator = TLSTerminator(port: try await Loopback.freePort())
      try Files.write(terminator.configuration(identity, clients, backend, scratch), to: scratch + "/nginx.conf")
      let null = try FileHandle.open("/dev/null", O_RDWR)
      let log = try FileHandle.open(scratch + "/log", O_WRONLY | O_CREAT)
      let process = try Spawn(
        "/usr/sbin/nginx", ["-p", scratch, "-e", scratch + "/error.log", "-c", scratch + "/nginx.conf"],
        descriptors: [null.raw, log.raw, log.raw]
      ).start()
      defer {
        kill(process.pid, SIGKILL)
        _ = process.ended(within: -1)
        _ = try? process.reap()
      }
      try await Loopback.waitForListener(terminator.port) {
        process.ended(within: 0) ? (try? Files.read(scratch + "/log")).map { String(decoding: $0, as: UTF8.self) } ?? "" : nil
      }
      return try await body(terminator)
    }
  }

  private func configuration(_ identity: TestAuthority.Identity, _ clients: String?, _ backend: Int, _ scratch: String) -> String {
    """
    daemon off; master_process off; worker_processes 1; pid \(scratch)/pid; error_log \(scratch)/error.log;
    events { worker_connections 64; }
    http {
      access_log off; client_max_body_size 0; proxy_max_temp_file_size 0; proxy_temp_path \(scratch)/t; client_body_temp_path \(scratch)/c;
      fastcgi_temp_path \(scratch)/f; uwsgi_temp_path \(scratch)/u; scgi_temp_path \(scratch)/s;
      server {
        listen 127.0.0.1:\(port) ssl; ssl_certificate \(identity.certificate); ssl_certificate_key \(identity.key);
        \(clients.map { "ssl_client_certificate \($0); ssl_verify_client on;" } ?? "")
        location / { proxy_pass http://127.0.0.1:\(backend); proxy_http_version 1.1; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto https; }
      }
    }
    """
  }
}
