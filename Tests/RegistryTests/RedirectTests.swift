import Core
import NIOCore
import NIOHTTP1
import OCI
import Registry
import Support
import Testing

@Suite(.serialized) struct RedirectTests {
  private let image = SampleImage(layerSize: 300_000)

  private var credentials: RegistryCredentials {
    var credentials = RegistryCredentials()
    credentials.username = "user"
    credentials.password = "secret"
    return credentials
  }

  @Test func aRedirectToAnotherHostCarriesNoCredentialsAndNoHeadersOfTheFirst() async throws {
    let layer = image.layer
    try await withHostileServer({ .blob(layer, $0, limit: 200_000) }) { store in
      let place = "http://\(store.authority)/store?signature=abc%20d"
      try await withHostileServer({ request in
        if request.authorization == nil { return .response(401, ["WWW-Authenticate": "Basic realm=\"x\""]) }
        return .response(307, ["Location": place])
      }) { server in
        var host = RegistryHost(scheme: .http, authority: server.authority)
        host.isServer = true
        host.headers = [.init(name: "X-Api-Key", value: "key")]
        try await withClient(FixedHosts(list: [host])) { client in
          let bytes = try await client.bytes(image.descriptor, of: .test(server.authority), credentials: credentials)
          #expect(bytes == layer)
        }
        #expect(server.requests.contains { $0.authorization != nil })
        #expect(server.requests.allSatisfy { $0.headers.first(name: "X-Api-Key") == "key" })
      }
      expectResumed(store.requests.map(\.from), brokenAt: 200_000)
      #expect(store.requests.allSatisfy { $0.authorization == nil && !$0.headers.contains(name: "X-Api-Key") })
      #expect(store.requests.allSatisfy { $0.query == "signature=abc%20d" })
    }
  }

  @Test func aRedirectWithinTheHostKeepsTheCredentials() async throws {
    let layer = image.layer
    try await withHostileServer({ request in
      if request.authorization == nil { return .response(401, ["WWW-Authenticate": "Basic realm=\"x\""]) }
      return request.path == "/elsewhere" ? .blob(layer, request) : .response(302, ["Location": "/elsewhere"])
    }) { server in
      try await withClient { client in
        let bytes = try await client.bytes(image.descriptor, of: .test(server.authority), credentials: credentials)
        #expect(bytes == layer)
      }
    }
  }

  @Test func aRedirectLoopEndsAndSaysSo() async throws {
    try await withHostileServer({ request in .response(307, ["Location": request.path == "/a" ? "/b" : "/a"]) }) { server in
      try await withClient { client in
        let fault = await fault { _ = try await client.bytes(image.descriptor, of: .test(server.authority)) }
        #expect(fault.code == .unavailable)
        #expect(fault.message.contains("redirect loop at http://\(server.authority)/a"), "\(fault)")
      }
      #expect(server.requests.count == 3)
    }
  }

  @Test func redirectsWithoutEndAreBounded() async throws {
    try await withHostileServer({ request in .response(302, ["Location": "/\(request.number)?token=secret"]) }) { server in
      try await withClient { client in
        let fault = await fault { _ = try await client.manifest(.test(server.authority), credentials: nil) }
        #expect(fault.message.contains("more than 10 redirects"), "\(fault)")
        #expect(!fault.message.contains("secret"))
      }
      #expect(server.requests.count == 11)
    }
  }

  @Test(arguments: ["", "ftp://x/", "http://user:secret@127.0.0.1/", "file:///etc/passwd", "http://a b/", "//", "http://127.0.0.1:99999/"])
  func aRedirectToNoAddressIsRefused(location: String) async throws {
    try await withHostileServer({ _ in .response(302, ["Location": location]) }) { server in
      try await withClient { client in
        let fault = await fault { _ = try await client.manifest(.test(server.authority), credentials: nil) }
        #expect(fault.code == .unavailable)
        #expect(fault.message.contains("redirects to no"), "\(fault)")
      }
      #expect(server.requests.count == 1)
    }
  }

  @Test func aRedirectWithoutALocationIsRefused() async throws {
    try await withHostileServer({ _ in .response(307) }) { server in
      try await withClient { client in
        let fault = await fault { _ = try await client.manifest(.test(server.authority), credentials: nil) }
        #expect(fault.message.contains("redirects to nowhere"), "\(fault)")
      }
    }
  }

  @Test func aStoreThatWantsCredentialsAfterARedirectGetsNone() async throws {
    try await withHostileServer({ _ in .response(401, ["WWW-Authenticate": "Basic realm=\"x\""]) }) { store in
      let place = "http://\(store.authority)/store"
      try await withHostileServer({ _ in .response(307, ["Location": place]) }) { server in
        try await withClient { client in
          let fault = await fault { _ = try await client.bytes(image.descriptor, of: .test(server.authority), credentials: credentials) }
          #expect(fault.code == .unauthenticated)
        }
      }
      #expect(store.requests.allSatisfy { $0.authorization == nil })
    }
  }
}
