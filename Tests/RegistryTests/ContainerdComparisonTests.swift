import Core
import Linux
import NIOCore
import NIOHTTP1
import OCI
import Registry
import Settings
import Support
import Synchronization
import Testing

/// The same `hosts.toml` read by Debian's containerd and by us: both have to ask the same hosts for the same things in the same order.
@Suite(.serialized) struct ContainerdComparisonTests {
  /// Servers that have nothing, `A`, `B` and `R`, the registry itself.
  private struct Servers {
    let all: [(name: String, server: HostileServer)]

    var registry: String { all[2].server.authority }

    /// Their names in `text` become their addresses.
    func fill(_ text: String) -> String {
      all.reduce(text) { $0.replacing("{\($1.name)}", with: $1.server.authority).replacing("{\($1.name):port}", with: "\($1.server.port)") }
    }

    /// Who was asked for a manifest since the last time, in order, as `A /v2/…?ns=R x-test`; a HEAD and a GET of the same are one.
    func takeAsked() -> [String] {
      log.withLock { log in
        defer { log = [] }
        return log.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
      }
    }

    let log: Log
  }

  private final class Log: Sendable {
    private let lines = Mutex<[String]>([])
    func withLock<T: Sendable>(_ body: (inout [String]) -> T) -> T { lines.withLock { body(&$0) } }

    func script(_ name: String, _ registry: @escaping @Sendable () -> String) -> HostileServer.Script {
      { [self] request in
        let headers = request.headers.filter { $0.name.lowercased().hasPrefix("x-") }.map { " \($0.name.lowercased())=\($0.value)" }
          .sorted().joined()
        let own = registry()
        let target = request.target.replacing(own.replacing(":", with: "%3A"), with: "R").replacing(own, with: "R")
        if request.path.contains("/manifests/") { withLock { $0.append("\(name) \(target)\(headers)") } }
        return .response(404, ["Content-Type": "application/json"], text: #"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#)
      }
    }
  }

  private func withServers(_ body: (Servers) async throws -> Void) async throws {
    let (log, registry) = (Log(), Log())
    let own: @Sendable () -> String = { registry.withLock { $0.first ?? "" } }
    try await withHostileServer(log.script("R", own)) { r in
      registry.withLock { $0 = [r.authority] }
      try await withHostileServer(log.script("A", own)) { a in
        try await withHostileServer(log.script("B", own)) { b in
          try await body(Servers(all: [("A", a), ("B", b), ("R", r)], log: log))
        }
      }
    }
  }

  private static let digest = "sha256:" + String(repeating: "7", count: 64)

  /// Directory name, file, and whether the image is named by digest. Each file has a table `host`: containerd 1.6 takes one without for broken and passes
  /// over it, later ones read it as their documentation says, and so do we.
  private static let cases: [(directory: String, file: String?, byDigest: Bool)] = [
    ("{R}", nil, false),
    ("{R}", "", false),
    ("{R}", "[host.'http://{A}']\n[host.'http://{B}']", false),
    ("{R}", "[host.'http://{B}']\ncapabilities = ['pull', 'resolve']\n[host.'http://{A}']\ncapabilities = ['resolve']", false),
    ("{R}", "[host.'http://{A}']\ncapabilities = ['pull']\n[host.'http://{B}']\ncapabilities = ['pull', 'resolve']", false),
    ("{R}", "[host.'http://{A}']\ncapabilities = ['pull']\n[host.'http://{B}']\ncapabilities = ['resolve']", true),
    ("{R}", "[host.'http://{A}']\ncapabilities = ['push']", true),
    ("{R}", "server = 'http://{B}'\n[host.'http://{A}']", false),
    ("{R}", "server = 'http://{B}/some/path'\n[host]", false),
    ("{R}", "server = 'http://{B}/v2'\n[host]", false),
    ("{R}", "server = 'http://{B}/v2/'\n[host]", false),
    ("{R}", "server = 'http://{B}/x/y/'\noverride_path = true\n[host]", false),
    ("{R}", "[host.'http://{A}/mirror']\n[host.'http://{B}/mirror']\noverride_path = true", false),
    ("{R}", "[host.'http://{A}/mirror/v2']\n[host.'http://{B}/']", false),
    ("{R}", "[host.'http://{A}']\n[host.'http://{A}'.header]\nx-one = '1'\nX-Two = ['2', '3']\n[host.'http://{B}']", false),
    ("{R}", "server = 'http://{R}'\n[header]\nx-own = ['a']\n[host.'http://{A}']", false),
    ("{R}", "[host.'http://{A}']\ndial_timeout = '3s'\nskip_verify = true\nunknown = 5", false),
    ("_default", "[host.'http://{A}']", false),
    ("_default", "server = 'http://{B}'\n[host]", false),
    ("127.0.0.1_{R:port}_", "[host.'http://{A}']", false),
    ("127.0.0.1", "[host.'http://{A}']", false),
    ("{R}", "capabilities = ['pull']\nserver = 'http://{R}'\n[host.'http://{A}']", false),
    ("{R}", "[host]\n[host.'http://{B}']\n[host.'http://{A}']", true),
  ]

  @Test func `both ask the same hosts for the same things`() async throws {
    try await withServers { servers in
      try await Containerd.with { containerd in
        for (number, one) in Self.cases.enumerated() {
          try await compare(
            servers, containerd, servers.fill(one.directory), one.file.map(servers.fill), one.byDigest, "case \(number): \(one)")
        }
      }
    }
  }

  /// Any combination of what a table may say.
  @Test func `files put together at random are read alike`() async throws {
    var random = Seeded(seed: 20_260_521)
    try await withServers { servers in
      try await Containerd.with { containerd in
        for _ in 0..<25 {
          let file = Self.file(&random)
          try await compare(servers, containerd, servers.registry, servers.fill(file), Bool.random(using: &random), file)
        }
      }
    }
  }

  private static func file(_ random: inout Seeded) -> String {
    func settings(_ random: inout Seeded) -> [String] {
      [
        ["capabilities = ['pull']", "capabilities = ['resolve']", "capabilities = ['pull', 'resolve']", "capabilities = ['push', 'pull']"]
          .randomElement(using: &random),
        ["override_path = true", "override_path = false"].randomElement(using: &random), "skip_verify = true", "dial_timeout = '2s'",
      ].compactMap { $0 }.filter { _ in Bool.random(using: &random) }
    }
    var lines: [String] = []
    let paths = ["", "/", "/v2", "/v2/", "/p", "/p/v2", "/p//q/"]
    if Bool.random(using: &random) { lines.append("server = 'http://{R}\(paths.randomElement(using: &random) ?? "")'") }
    lines += settings(&random)
    lines.append("[host]")
    for host in ["A", "B"].shuffled(using: &random) where Int.random(in: 0..<4, using: &random) > 0 {
      lines.append("[host.'http://{\(host)}\(paths.randomElement(using: &random) ?? "")']")
      lines += settings(&random)
      if Bool.random(using: &random), let last = lines.last(where: { $0.hasPrefix("[host") }) {
        lines += [last.dropLast() + ".header]", "x-test = ['\(host)']"]
      }
    }
    return lines.joined(separator: "\n")
  }

  private func compare(
    _ servers: Servers, _ containerd: Containerd, _ directory: String, _ file: String?, _ byDigest: Bool, _ name: String
  ) async throws {
    try await withScratch("certs") { certs in
      if let file {
        try Files.makeDirectories("\(certs)/\(directory)")
        try Files.write(file, to: "\(certs)/\(directory)/hosts.toml")
      }
      let image = servers.registry + "/test/image" + (byDigest ? "@\(Self.digest)" : ":1")
      let output = try await containerd.ctr("images", "pull", "--hosts-dir", certs, image)
      #expect(!output.succeeded)
      let theirs = servers.takeAsked()
      try await withClient(HostsDirectory(roots: [certs])) { client in
        _ = await fault { _ = try await client.manifest(ImageReference(parsing: image), credentials: nil) }
      }
      let ours = servers.takeAsked()
      #expect(ours == theirs, "\(name)\ncontainerd: \(output.errorText)")
    }
  }
}

/// The same numbers every time (SplitMix64).
struct Seeded: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
