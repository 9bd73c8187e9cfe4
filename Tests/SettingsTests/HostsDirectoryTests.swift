import Core
import Linux
import Settings
import Support
import Synchronization
import Testing

@Suite struct HostsDirectoryTests {
  private func origins(_ files: [String: String], _ domain: String, roots: [String] = ["a", "b"]) throws -> [String] {
    try withScratch { scratch in
      for (path, text) in files { try write(text, "\(scratch)/\(path)") }
      return try HostsDirectory(roots: roots.map { "\(scratch)/\($0)" }).hosts(for: domain).map(\.origin)
    }
  }

  private func write(_ text: String, _ path: String) throws {
    try Files.makeDirectories(Files.parent(of: path))
    try Files.write(text, to: path)
  }

  @Test func withoutADirectoryTheRegistryItselfIsAsked() throws {
    #expect(try origins([:], "reg.example") == ["https://reg.example"])
    #expect(try origins([:], "docker.io") == ["https://registry-1.docker.io"])
    for domain in ["localhost:5000", "127.0.0.1:5000", "127.8.9.10:80", "[::1]:5000", "localhost"] {
      #expect(try origins([:], domain) == ["http://\(domain)"])
    }
    for domain in ["127.0.0.1.example:5000", "localhost.example", "1127.0.0.1", "[::2]:5000", "127.0.0.1:443"] {
      #expect(try origins([:], domain) == ["https://\(domain)"])
    }
  }

  @Test func aDirectoryIsFoundByHostAndPortInBothSpellings() throws {
    #expect(try origins(["a/reg.example/hosts.toml": "server = 'https://one'"], "reg.example") == ["https://one"])
    #expect(try origins(["a/reg.example:50/hosts.toml": "server = 'https://one'"], "reg.example:50") == ["https://one"])
    #expect(try origins(["a/reg.example_50_/hosts.toml": "server = 'https://one'"], "reg.example:50") == ["https://one"])
    #expect(try origins(["a/reg.example/hosts.toml": "server = 'https://one'"], "reg.example:50") == ["https://reg.example:50"])
  }

  @Test func theDefaultDirectoryIsForAllOthers() throws {
    let files = ["a/_default/hosts.toml": "[host.'http://mirror:1']", "a/reg.example/hosts.toml": "server = 'https://one'"]
    #expect(try origins(files, "other.example") == ["http://mirror:1", "https://other.example"])
    #expect(try origins(files, "reg.example") == ["https://one"])
  }

  @Test func directoriesAreSearchedInOrder() throws {
    let files = ["a/reg.example/hosts.toml": "server = 'https://one'", "b/reg.example/hosts.toml": "server = 'https://two'"]
    #expect(try origins(files, "reg.example") == ["https://one"])
    #expect(try origins(files, "reg.example", roots: ["none", "b", "a"]) == ["https://two"])
  }

  @Test func certificatesAsDockerHasThemAreTaken() throws {
    try withScratch { scratch in
      for name in ["ca.crt", "client.cert", "client.key"] { try write("x", "\(scratch)/reg.example/\(name)") }
      let hosts = try HostsDirectory(roots: [scratch]).hosts(for: "reg.example")
      #expect(hosts.map(\.tls.authorities) == [["\(scratch)/reg.example/ca.crt"]])
      #expect(hosts[0].tls.clients == [.init(certificate: "\(scratch)/reg.example/client.cert", key: "\(scratch)/reg.example/client.key")])
      try Files.remove("\(scratch)/reg.example/client.key")
      #expect(throws: SettingsError.self) { try HostsDirectory(roots: [scratch]).hosts(for: "reg.example") }
    }
  }

  @Test func aChangedFileIsReadAgainAndAnUnchangedOneIsNot() throws {
    try withScratch { scratch in
      let warnings = Mutex<[String]>([])
      let directory = HostsDirectory(roots: [scratch]) { warning in warnings.withLock { $0.append(warning) } }
      let path = "\(scratch)/reg.example/hosts.toml"
      try write("server = 'https://one'\nodd = 1", path)
      for _ in 0..<3 { #expect(try directory.hosts(for: "reg.example").map(\.origin) == ["https://one"]) }
      #expect(warnings.withLock { $0 } == ["\(path): key \"odd\" is not known and ignored"])
      try Files.replace(path, with: Array("server = 'https://two'".utf8), durable: false)
      #expect(try directory.hosts(for: "reg.example").map(\.origin) == ["https://two"])
      try Files.remove(path)
      #expect(try directory.hosts(for: "reg.example").map(\.origin) == ["https://reg.example"])
    }
  }

  @Test func aBrokenFileIsAnErrorNotAnotherHost() throws {
    try withScratch { scratch in
      try write("server = ", "\(scratch)/reg.example/hosts.toml")
      #expect(throws: SettingsError.self) { try HostsDirectory(roots: [scratch]).hosts(for: "reg.example") }
    }
  }

  @Test func aDomainCannotLeaveTheDirectory() throws {
    for domain in ["..", ".", "../etc", "a/b", "", "reg example", "a@b"] {
      #expect(throws: Fault.self) { try HostsDirectory(roots: ["/tmp"]).hosts(for: domain) }
    }
  }
}
