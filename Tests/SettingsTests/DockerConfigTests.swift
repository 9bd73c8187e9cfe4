import Core
import Settings
import Testing

@Suite struct DockerConfigTests {
  private func config(_ text: String) throws -> DockerConfig { try DockerConfig(Array(text.utf8), file: "/x/config.json") }

  /// In words: `path user:password identity registry` or `path helper program for server`.
  private func who(_ text: String, at authority: String) throws -> [String] {
    try config(text).identities(at: authority).map { scoped in
      switch scoped.identity {
      case .credentials(let own, let from):
        #expect(from == "/x/config.json")
        return "\(scoped.path) \(own.username):\(own.password) \(own.identityToken) \(own.registryToken)"
      case .helper(let helper): return "\(scoped.path) \(helper.name) for \(helper.server) else \(helper.fallback?.username ?? "none")"
      case .unusable(let reason): return reason
      }
    }
  }

  // printf 'user:pa:ss' | base64
  private static let auth = "dXNlcjpwYTpzcw=="

  @Test(arguments: [
    "reg.example", "https://reg.example", "https://reg.example/", "http://reg.example:80", "https://reg.example/v2/", "REG.example",
    "reg.example:443",
    "https://reg.example/v1/",
  ])
  func `a host is found however its key is written`(key: String) throws {
    let text = #"{"auths": {"\#(key)": {"auth": "\#(Self.auth)"}, "other.example": {"auth": "eDp5"}}}"#
    #expect(try who(text, at: "reg.example") == [" user:pa:ss  "])
    #expect(try who(text, at: "reg.example:5000") == [])
    #expect(try who(text, at: "a.reg.example") == [])
  }

  @Test(arguments: [
    "https://index.docker.io/v1/", "docker.io", "index.docker.io", "https://registry-1.docker.io/v2/", "registry.hub.docker.com",
  ])
  func `Docker Hub has many names`(key: String) throws {
    let text = #"{"auths": {"\#(key)": {"auth": "\#(Self.auth)"}}}"#
    for name in ["docker.io", "registry-1.docker.io", "index.docker.io"] { #expect(try who(text, at: name) == [" user:pa:ss  "]) }
    #expect(try who(text, at: "docker.io.example") == [])
  }

  @Test func `an entry has user and password, or one of the tokens, in any of the forms`() throws {
    #expect(try who(#"{"auths": {"r:5000": {"username": "u", "password": "p"}}}"#, at: "r:5000") == [" u:p  "])
    #expect(try who(#"{"auths": {"r": {"auth": "dXNlcjpwYTpzcw"}}}"#, at: "r") == [" user:pa:ss  "], "without padding")
    #expect(try who(#"{"auths": {"r": {"auth": "\#(Self.auth)", "identitytoken": "it"}}}"#, at: "r") == [" user:pa:ss it "])
    #expect(try who(#"{"auths": {"r": {"registrytoken": "rt"}}}"#, at: "r") == [" :  rt"])
    #expect(try who(#"{"auths": {"r": {"username": "<token>", "password": "it"}}}"#, at: "r") == [" : it "])
    #expect(try who(#"{"auths": {"r": {}, "s": {"auth": ""}}}"#, at: "r") == [], "docker leaves empty entries where a store has the secret")
    #expect(try who("{}", at: "r") == [])
    #expect(
      try who(#"{"psFormat": "x", "auths": {"r": {"auth": "eDp5", "email": "a@b"}}, "HttpHeaders": {"A": "b"}}"#, at: "r") == [" x:y  "])
  }

  @Test func `keys with a path are for what is below it, the longest first`() throws {
    let text =
      #"{"auths": {"q.example": {"auth": "YTpi"}, "q.example/org": {"auth": "YzpkCg=="}, "q.example/org/team/": {"auth": "ZTpm"}}}"#
    let config = try config(text)
    let scopes = config.identities(at: "q.example")
    #expect(scopes.map(\.path) == ["org/team", "org", ""])
    func user(_ repository: String) -> String? {
      guard case .credentials(let own, _)? = scopes.first(where: { $0.covers(repository) })?.identity else { return nil }
      return own.username
    }
    #expect(user("org/team/app") == "e" && user("org/team") == "e" && user("org/teams") == "c" && user("organic/x") == "a")
  }

  @Test func `a host's helper comes before the store, and both before the entry, which they leave as the last word`() throws {
    let text =
      #"{"credsStore": "desktop", "credHelpers": {"https://ecr.example": "ecr-login"}, "auths": {"ecr.example": {"auth": "eDp5"}}}"#
    #expect(try who(text, at: "ecr.example") == [" docker-credential-ecr-login for ecr.example else x"])
    #expect(try who(text, at: "other.example:5000") == [" docker-credential-desktop for other.example:5000 else none"])
    #expect(try who(text, at: "registry-1.docker.io") == [" docker-credential-desktop for https://index.docker.io/v1/ else none"])
  }

  @Test(arguments: ["../evil", "a/b", "", "a b", ".x", "a\\u0000b"]) func `a helper's name leads to no other program`(name: String) throws {
    let found = try who(#"{"credHelpers": {"r": "\#(name)"}}"#, at: "r")
    #expect(found.count == 1 && found[0].contains("is no credential helper's name"), "\(found)")
  }

  @Test(arguments: [
    "", "[]", "{", #"{"auths": []}"#, #"{"auths": {"r": {"auth": "%%%"}}}"#, #"{"auths": {"r": {"auth": "bm9jb2xvbg=="}}}"#,
    #"{"auths": {"r": 5}}"#,
  ])
  func `a file that cannot be understood is an error that names it and shows no secret`(text: String) {
    let error = #expect(throws: SettingsError.self) { try config(text) }
    #expect(
      error?.description.hasPrefix("/x/config.json: ") == true && error?.description.contains("bm9jb2xvbg") == false,
      "\(String(describing: error))")
  }

  @Test func `any bytes are read or refused`() {
    var random = SystemRandomNumberGenerator()
    let good = Array(#"{"credsStore": "d", "credHelpers": {"e": "x"}, "auths": {"r/a": {"auth": "eDp5", "identitytoken": "t"}}}"#.utf8)
    for _ in 0..<2000 {
      var bytes = good
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      if let config = try? DockerConfig(bytes, file: "f") { _ = config.identities(at: "r") }
    }
  }
}
