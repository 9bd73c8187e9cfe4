import NIOCore
import Testing

@testable import Streaming

@Suite struct RequestTests {
  private func parse(_ text: String) throws(HTTPRefusal) -> RequestHead? {
    var parser = RequestHeadParser()
    var bytes = ByteBuffer(string: text)
    return try parser.read(&bytes)
  }

  private func status(_ text: String) -> Int {
    do throws(HTTPRefusal) { return try parse(text) == nil ? 0 : 200 } catch { return error.status.rawValue }
  }

  @Test func `a head is read and what follows it is left`() throws {
    var parser = RequestHeadParser()
    var bytes = ByteBuffer(string: "POST /exec/abc?x=1 HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nX-Y:  z \r\n\r\nrest")
    let head = try #require(try parser.read(&bytes))
    #expect(head.method == "POST" && head.path == "/exec/abc" && String(buffer: bytes) == "rest")
    #expect(head.has("connection", "upgrade") && head.values("x-y") == ["z"])
  }

  @Test func `a head may come byte by byte`() throws {
    var parser = RequestHeadParser()
    var head: RequestHead?
    for byte in "GET /attach/t HTTP/1.1\r\nHost: h\r\n\r\n".utf8 {
      var bytes = ByteBuffer(bytes: [byte])
      #expect(head == nil)
      head = try parser.read(&bytes)
    }
    #expect(head?.target == "/attach/t")
  }

  @Test func `ill-formed heads get their status`() {
    let host = "Host: h\r\n"
    #expect(status("GET / HTTP/1.1\r\n\(host)\r\n") == 200)
    #expect(status("GET / HTTP/1.1\r\n\(host)") == 0)
    for bad in [
      "\r\n", "GET /\r\n\r\n", "GET / HTTP/1.1\n\n", "GET  / HTTP/1.1\r\n\(host)\r\n", "G(T / HTTP/1.1\r\n\(host)\r\n",
      "GET x HTTP/1.1\r\n\(host)\r\n", "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n\(host)\(host)\r\n",
      "GET / HTTP/1.1\r\n\(host) fold\r\n\r\n",
      "GET / HTTP/1.1\r\n\(host)A : b\r\n\r\n", "GET / HTTP/1.1\r\n\(host)A: \u{1}\r\n\r\n",
      "GET / HTTP/1.1\r\n\(host)Content-Length: 5\r\n\r\n",
      "GET / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\n", "GET / FTP/1.1\r\n\(host)\r\n",
    ] { #expect(status(bad) == 400, "\(bad)") }
    #expect(status("GET / HTTP/1.0\r\n\(host)\r\n") == 505)
    #expect(status("GET /\(String(repeating: "x", count: 20_000)) HTTP/1.1\r\n\(host)\r\n") == 431)
    #expect(status("GET / HTTP/1.1\r\n\(host)\(String(repeating: "A: b\r\n", count: 101))\r\n") == 431)
  }

  private func upgrade(_ kind: SessionKind, _ fields: String, method: String = "GET") -> Result<Upgrade, HTTPRefusal> {
    do throws(HTTPRefusal) {
      return .success(try Negotiation.upgrade(try parse("\(method) /x HTTP/1.1\r\nHost: h\r\n\(fields)\r\n\r\n")!, for: kind))
    } catch { return .failure(error) }
  }

  private func refusal(_ result: Result<Upgrade, HTTPRefusal>) -> Int? {
    if case .failure(let refusal) = result { refusal.status.rawValue } else { nil }
  }

  @Test func `the first stream protocol of the client that is served is chosen`() {
    let spdy = "Connection: Upgrade\r\nUpgrade: SPDY/3.1"
    #expect(upgrade(.exec, spdy, method: "POST") == .success(.spdy(nil)))
    let two = "\(spdy)\r\nX-Stream-Protocol-Version: v9.channel.k8s.io\r\nX-Stream-Protocol-Version: v3.channel.k8s.io, v4.channel.k8s.io"
    #expect(upgrade(.exec, two) == .success(.spdy(.v3)))
    #expect(upgrade(.portForward, "\(spdy)\r\nX-Stream-Protocol-Version: portforward.k8s.io") == .success(.spdy(.portForward)))
    #expect(refusal(upgrade(.portForward, two)) == 403)
    #expect(refusal(upgrade(.exec, "Connection: Upgrade\r\nUpgrade: h2c")) == 426)
    #expect(refusal(upgrade(.exec, "Upgrade: SPDY/3.1")) == 426)
  }

  @Test func `a WebSocket is granted with its proof`() {
    let base = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    #expect(upgrade(.exec, base) == .success(.webSocket(.unnamed, accept: accept)))
    #expect(
      upgrade(.exec, base + "\r\nSec-WebSocket-Protocol: v5.channel.k8s.io, v4.channel.k8s.io") == .success(.webSocket(.v5, accept: accept))
    )
    #expect(
      upgrade(.portForward, base + "\r\nSec-WebSocket-Protocol: SPDY/3.1+portforward.k8s.io")
        == .success(.webSocket(.tunnel, accept: accept)))
    #expect(refusal(upgrade(.exec, base + "\r\nSec-WebSocket-Protocol: chat")) == 403)
    #expect(refusal(upgrade(.exec, base, method: "POST")) == 405)
    #expect(refusal(upgrade(.exec, base.replacing("13", with: "8"))) == 426)
    #expect(refusal(upgrade(.exec, base.replacing("dGhl", with: ""))) == 400)
  }
}
