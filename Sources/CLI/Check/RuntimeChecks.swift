/// Programs that run containers and set up their firewall rules.
enum RuntimeChecks {
  static let oldestRunc = VersionNumber(1, 1)

  static func findings(_ node: Node) async -> [Finding] {
    var findings = [await runc(node)]
    if let crun = node.find("crun"), let version = await node.version(of: crun) { findings.append(.good("crun", "\(version) (\(crun))")) }
    findings.append(firewall(node))
    return findings
  }

  private static func runc(_ node: Node) async -> Finding {
    guard let path = node.find("runc") else {
      return .unfit("runc", "not found in \(Node.searchPath.joined(separator: ":"))", "apt-get install runc")
    }
    guard let line = await node.version(of: path), let number = line.split(separator: " ").last.flatMap({ VersionNumber($0) }) else {
      return .unfit("runc", "\(path) --version fails", "reinstall it: apt-get install --reinstall runc")
    }
    guard number >= oldestRunc else { return .warning("runc", "\(line) is old", "use \(oldestRunc) or newer") }
    return .good("runc", "\(line) (\(path))")
  }

  private static func firewall(_ node: Node) -> Finding {
    guard let path = node.find("iptables") else {
      return .warning("iptables", "not found", "host ports and masquerading need it: apt-get install iptables")
    }
    return .good("iptables", path)
  }
}
