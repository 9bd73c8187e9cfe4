import Core
import Linux
import Settings
import Support
import Testing

/// `credentials` in `hosts.toml`, and the node's own file.
@Suite struct HostCredentialsTests {
  private func hosts(_ text: String?, _ files: [String: String] = [:], domain: String = "reg.example", directory: String? = nil) throws
    -> [RegistryHost]
  {
    try withScratch { scratch in
      let own = "\(scratch)/\(directory ?? domain)"
      try Files.makeDirectories(own)
      if let text { try Files.write(text, to: own + "/hosts.toml") }
      for (name, content) in files { try Files.write(content, to: "\(own)/\(name)") }
      return try HostsDirectory(roots: [scratch], authFile: files["node.json"] == nil ? nil : own + "/node.json").hosts(for: domain)
    }
  }

  private func who(_ host: RegistryHost, _ repository: String = "a/b") -> String {
    switch host.identity(for: repository) {
    case nil: "anonymous"
    case .credentials(let own, _): "\(own.username):\(own.password):\(own.identityToken):\(own.registryToken)"
    case .helper(let helper): "\(helper.name) \(helper.server)"
    case .unusable(let reason): reason
    }
  }

  private func complaint(_ text: String, directory: String? = nil) -> String {
    do {
      _ = try hosts(text, directory: directory)
      return "none"
    } catch { return "\(error)" }
  }

  @Test func `each host has credentials of its own`() throws {
    let found = try hosts(
      """
      server = "https://up.example"
      [host."https://m1.example"]
      [host."https://m1.example".credentials]
      username = "robot"
      password = "p"
      [host."https://m2.example".credentials]
      helper = "ecr-login"
      [host."https://m3.example"]
      [credentials]
      username = "me"
      password_file = "secret"
      """, ["secret": "line one\nrest"])
    #expect(found.map { who($0) } == ["robot:p::", "docker-credential-ecr-login m2.example", "anonymous", "me:line one::"])
  }

  @Test func `tokens come from files, and so may everything`() throws {
    let found = try hosts(
      """
      [host."https://m1.example".credentials]
      identity_token_file = "t"
      [host."https://m2.example".credentials]
      registry_token_file = "t"
      [host."https://m3.example".credentials]
      auth_file = "config.json"
      [host."https://m4.example".credentials]
      helper = "/opt/helper"
      """, ["t": "tok\n", "config.json": #"{"auths": {"m3.example/a": {"auth": "eDp5"}, "m4.example": {"auth": "eDp6"}}}"#])
    #expect(found.map { who($0) } == ["::tok:", ":::tok", "x:y::", "/opt/helper m4.example", "anonymous"])
    #expect(who(found[2], "other/b") == "anonymous")
  }

  @Test func `the node's file is for hosts that have none, by each host's own name`() throws {
    let node = #"{"auths": {"reg.example": {"auth": "cjpy"}, "m.example": {"auth": "bTpt"}, "n.example": {"auth": "bjpu"}}}"#
    let text = "[host.'https://m.example']\n[host.'https://n.example'.credentials]\nhelper = 'h'\n[host.'https://o.example']"
    #expect(try hosts(text, ["node.json": node]).map { who($0) } == ["m:m::", "docker-credential-h n.example", "anonymous", "r:r::"])
    #expect(try hosts(nil, ["node.json": node]).map { who($0) } == ["r:r::"])
    #expect(
      try hosts("server = 'https://up.example'", ["node.json": node]).map { who($0) } == ["r:r::"], "the image's name counts for its server"
    )
    let hub = #"{"auths": {"https://index.docker.io/v1/": {"auth": "cjpy"}}}"#
    #expect(try hosts(nil, ["node.json": hub], domain: "docker.io").map { who($0) } == ["r:r::"])
  }

  @Test func `a file that cannot be used is said to who needs it, not to everyone`() throws {
    let text =
      "[host.'https://m.example'.credentials]\nusername = 'u'\npassword_file = 'none'\n[host.'https://n.example'.credentials]\nauth_file = 'bad'"
    let found = try hosts(text, ["bad": "{"]).map { who($0) }
    #expect(
      found[0].contains("hosts.toml: ") && found[0].contains("/none: ") && found[1].contains("/bad: ") && found[2] == "anonymous",
      "\(found)")
    #expect(who(try hosts("", ["node.json": "{"])[0]).contains("node.json: "))
  }

  @Test func `a secret file changed is read anew`() throws {
    try withScratch { scratch in
      try Files.makeDirectories(scratch + "/r")
      try Files.write("[credentials]\nusername = 'u'\npassword_file = 'p'", to: scratch + "/r/hosts.toml")
      let directory = HostsDirectory(roots: [scratch])
      for secret in ["one", "two", "three"] {
        try Files.write(secret, to: scratch + "/r/p")
        #expect(who(try directory.hosts(for: "r")[0]) == "u:\(secret)::")
        try Files.remove(scratch + "/r/p")
      }
    }
  }

  @Test(arguments: [
    "username = 'u'", "password = 'p'", "username = 'u'\npassword = 'p'\nhelper = 'h'", "", "helper = '../x'",
    "helper = 'h'\nusername = 'u'",
    "username = 'a:b'\npassword = 'p'", "helper = 'h'\nhelpers = 'x'", "username = 5\npassword = 'p'",
  ])
  func `a table that does not say one thing is refused, with its place`(table: String) {
    let found = complaint("[host.'https://m.example'.credentials]\n" + table)
    #expect(found.contains("hosts.toml") && found.contains("credentials"), "\(found)")
  }

  @Test func `a secret for all registries there are is refused`() throws {
    let secret = "[credentials]\nusername = 'u'\npassword = 'p'"
    #expect(complaint(secret, directory: "_default").contains("would be sent to every registry"))
    #expect(complaint("server = 'https://one.example'\n" + secret, directory: "_default") == "none")
    #expect(complaint("[credentials]\nhelper = 'h'", directory: "_default") == "none")
  }
}
