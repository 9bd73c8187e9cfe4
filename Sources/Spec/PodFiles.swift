package import CRIAPI

/// Contents of the files a sandbox gives to its containers.
package enum PodFiles {
  /// resolv.conf(5) of the pod's DNS settings; the host's where the pod has none.
  package static func resolvConf(_ dns: Runtime_V1_DNSConfig, host: [UInt8]) -> [UInt8] {
    if dns.servers.isEmpty, dns.searches.isEmpty, dns.options.isEmpty { return host }
    var lines: [String] = []
    if !dns.searches.isEmpty { lines.append("search " + dns.searches.joined(separator: " ")) }
    lines += dns.servers.map { "nameserver " + $0 }
    if !dns.options.isEmpty { lines.append("options " + dns.options.joined(separator: " ")) }
    return Array((lines.joined(separator: "\n") + "\n").utf8)
  }

  /// hosts(5) for pods whose client mounts none of its own (the kubelet does): the host's for a pod on the host's network,
  /// else localhost and the pod's own name at its addresses.
  package static func hosts(_ sandbox: Runtime_V1_PodSandboxConfig, isHostNetwork: Bool, addresses: [String], host: [UInt8]) -> [UInt8] {
    if isHostNetwork { return host }
    var lines = [
      "127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback", "fe00::\tip6-localnet", "ff02::1\tip6-allnodes",
      "ff02::2\tip6-allrouters",
    ]
    if !sandbox.hostname.isEmpty { lines += addresses.map { "\($0)\t\(sandbox.hostname)" } }
    return Array((lines.joined(separator: "\n") + "\n").utf8)
  }

  /// One line, as hostname(5) wants it.
  package static func hostname(_ sandbox: Runtime_V1_PodSandboxConfig, ownUTS: Bool, host: String) -> [UInt8] {
    Array(((ownUTS && !sandbox.hostname.isEmpty ? sandbox.hostname : host) + "\n").utf8)
  }
}
