import Core
import Linux
import Support
import Testing

@testable import CNI

/// Debian's plugins in a network namespace that plays the host: bridges, veths and iptables rules of a test meet no one else's.
struct RealPlugins {
  let directory: String
  private let host: String

  private static let wrapped = ["bridge", "portmap", "firewall", "ptp", "tuning", "bandwidth"]
  private static let installed = "/usr/lib/cni"

  /// Runs `body` with fresh namespaces and takes them away afterwards, and with them all that was made in them.
  static func with(_ body: (RealPlugins) async throws -> Void) async throws {
    try await withScratch("cni") { directory in
      let plugins = RealPlugins(directory: directory, host: directory + "/host.netns")
      for name in ["conf", "bin", "pods", "ipam"] { try Files.makeDirectories("\(directory)/\(name)") }
      do {
        try await plugins.prepare()
        try await body(plugins)
      } catch {
        await plugins.unmount()
        throw error
      }
      await plugins.unmount()
    }
  }

  private func prepare() async throws {
    try await Self.makeNamespace(host)
    try await output(["ip", "link", "set", "lo", "up"])
    for name in Self.wrapped {
      let script = "#!/bin/sh\nexec nsenter --net=\(host) \(Self.installed)/\(name)\n"
      try Files.write(script, to: "\(directory)/bin/\(name)", mode: 0o755)
    }
  }

  private func unmount() async {
    let pods = ((try? Files.list(directory + "/pods")) ?? []).map { "\(directory)/pods/\($0)" }
    for path in pods + [host] { _ = try? await Command.run("/usr/bin/umount", [path], timeout: .seconds(20)) }
  }

  var settings: CNINetwork.Settings {
    var settings = CNINetwork.Settings()
    settings.configurationDirectory = directory + "/conf"
    settings.pluginDirectories = [directory + "/bin", Self.installed]
    settings.root = directory + "/root"
    settings.retryDelay = .milliseconds(50)
    return settings
  }

  func network() throws -> CNINetwork { try CNINetwork(settings, logger: silent) }

  /// A bridge with host-local addresses from these subnets, then `chained`.
  func configure(subnets: [String] = ["10.77.0.0/24"], version: String = "1.0.0", masquerade: Bool = true, chained: [String] = []) throws {
    let ranges = subnets.map { #"[{"subnet":"\#($0)"}]"# }.joined(separator: ",")
    let bridge = """
      {"type":"bridge","bridge":"berth0","isGateway":true,"ipMasq":\(masquerade),"hairpinMode":true,
       "ipam":{"type":"host-local","dataDir":"\(directory)/ipam","ranges":[\(ranges)],"routes":[{"dst":"0.0.0.0/0"}]}}
      """
    let list = ([bridge] + chained).joined(separator: ",")
    try Files.write(#"{"cniVersion":"\#(version)","name":"real","plugins":[\#(list)]}"#, to: directory + "/conf/10-real.conflist")
  }

  static let portmap = #"{"type":"portmap","capabilities":{"portMappings":true}}"#
  static let firewall = #"{"type":"firewall","backend":"iptables"}"#

  /// A fresh pod's namespace.
  func makePod() async throws -> String {
    let path = "\(directory)/pods/\(Identifier.random().prefix(12))"
    try await Self.makeNamespace(path)
    return path
  }

  func removeNamespace(_ path: String) async throws {
    try await Self.run("umount", [path])
    try Files.remove(path)
  }

  /// What a command prints in the host's namespace, or in a pod's.
  @discardableResult
  func output(in pod: String? = nil, _ command: [String]) async throws -> String {
    try await run("nsenter", ["--net=" + (pod ?? host)] + command)
  }

  /// What pods leave behind: veths, rules that name them, reserved addresses.
  func leftovers() async throws -> [String] {
    let links = try await output(["ip", "-o", "link"]).split(separator: "\n").filter { $0.contains("veth") }
    var rules: [Substring] = []
    for program in ["iptables", "ip6tables"] {
      for table in ["nat", "filter"] {
        rules += try await output([program, "-t", table, "-S"]).split(separator: "\n").filter {
          $0.contains("10.77.") || $0.contains("fd77:") || $0.contains("CNI-DN-")
        }
      }
    }
    let addresses = try Files.list(directory + "/ipam/real").filter { $0.contains("10.77.") || $0.contains("fd77") }
    return (links + rules).map(String.init) + addresses
  }

  private static func makeNamespace(_ path: String) async throws {
    try Files.write("", to: path)
    try await RealPlugins.run("unshare", ["--net=" + path, "true"])
  }

  private func run(_ program: String, _ arguments: [String]) async throws -> String { try await Self.run(program, arguments) }

  @discardableResult
  private static func run(_ program: String, _ arguments: [String]) async throws -> String {
    let output = try await Command.run(
      "/usr/bin/" + program, arguments, environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"], timeout: .seconds(30))
    guard output.succeeded else {
      throw Fault(.internal, "\(program) \(arguments.joined(separator: " ")): \(String(decoding: output.stderr, as: UTF8.self))")
    }
    return String(decoding: output.stdout, as: UTF8.self)
  }
}
