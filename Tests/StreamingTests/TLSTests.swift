import Core
import Linux
import Logging
import NIOCore
import NIOSSL
import Support
import Testing

@testable import Streaming

@Suite(.serialized) struct TLSTests {
  private func context(_ authority: TestAuthority, _ identity: TestAuthority.Identity? = nil, maximum: TLSVersion? = nil) throws
    -> NIOSSLContext
  {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(authority.certificate))
    configuration.certificateVerification = .noHostnameVerification
    configuration.maximumTLSVersion = maximum
    if let identity {
      configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(identity.certificate).map { .certificate($0) }
      configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: identity.key, format: .pem))
    }
    return try NIOSSLContext(configuration: configuration)
  }

  /// The status line; empty where there is no connection to be had.
  private func ask(_ port: Int, _ context: NIOSSLContext) async throws -> String {
    guard let wire = try? await Wire.connect(port, tls: context) else { return "" }
    try? await wire.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    let answer = try await wire.readToEnd()
    try await wire.close()
    return String(answer.prefix { $0 != "\r\n" })
  }

  @Test func `clients need a certificate where an authority is set, and the minimum version`() async throws {
    try await withScratch("tls") { scratch in
      let authority = try await TestAuthority(in: scratch)
      let server = try await authority.issue("server")
      let client = try await authority.issue("client")
      try await Fixture.with {
        $0.tls = .init(certificate: server.certificate, key: server.key, clientCA: authority.certificate, minimumVersion: .v13)
      } _: { fixture in
        let port = try fixture.port
        #expect(try fixture.server.url(for: .portForward(pod: "p", ports: []) { nil }).hasPrefix("https://127.0.0.1:"))
        #expect(try await ask(port, context(authority, client)) == "HTTP/1.1 404 Not Found")
        #expect(try await ask(port, context(authority)) == "")
        #expect(try await ask(port, context(authority, client, maximum: .tlsv12)) == "")
      }
    }
  }

  @Test func `a changed certificate is used for the next connection, a bad one is not`() async throws {
    try await withScratch("tls") { scratch in
      let (first, second) = (try await TestAuthority(in: scratch, name: "first"), try await TestAuthority(in: scratch, name: "second"))
      let (old, new) = (try await first.issue("old"), try await second.issue("new"))
      let paths = (certificate: scratch + "/cert.pem", key: scratch + "/key.pem")
      func install(_ identity: TestAuthority.Identity) throws {
        try Files.write(try Files.read(identity.certificate), to: paths.certificate)
        try Files.write(try Files.read(identity.key), to: paths.key)
      }
      try install(old)
      try await Fixture.with {
        $0.tls = .init(certificate: paths.certificate, key: paths.key)
      } _: { fixture in
        let port = try fixture.port
        #expect(try await ask(port, context(first)) == "HTTP/1.1 404 Not Found")
        try install(new)
        #expect(try await ask(port, context(second)) == "HTTP/1.1 404 Not Found")
        try Files.write("no certificate", to: paths.certificate)
        #expect(try await ask(port, context(second)) == "HTTP/1.1 404 Not Found")
      }
    }
  }

  @Test func `a certificate whose file hangs keeps no connection waiting for long`() async throws {
    try await withScratch("tls") { scratch in
      let authority = try await TestAuthority(in: scratch)
      let server = try await authority.issue("server")
      try await Fixture.with {
        $0.tls = .init(certificate: server.certificate, key: server.key)
        $0.limits.certificateTime = .milliseconds(100)
      } _: { fixture in
        let port = try fixture.port
        try Files.remove(server.certificate)
        try Fifo.make(server.certificate)
        for _ in 0..<3 { #expect(try await ask(port, context(authority)) == "HTTP/1.1 404 Not Found") }
        let writer = try await eventually("somebody reads the file") { try? Fifo.writer(server.certificate).release() }
        _ = FileHandle(owning: writer)
        #expect(try await ask(port, context(authority)) == "HTTP/1.1 404 Not Found")
      }
    }
  }

  @Test func `a certificate that cannot be read is named at the start`() async throws {
    var configuration = StreamingConfiguration()
    configuration.tls = .init(certificate: "/nonexistent.pem", key: "/nonexistent.key")
    let error = await #expect(throws: Fault.self) {
      _ = try await StreamingServer.start(configuration, logger: .init(label: "test"))
    }
    #expect(error?.message.contains("/nonexistent.pem") == true)
  }
}
