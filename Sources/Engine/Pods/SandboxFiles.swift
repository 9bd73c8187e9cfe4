import CRIAPI
import Core
import Linux
import Spec

/// The sandbox's directory on tmpfs: the files and the /dev/shm that its containers get to see.
struct SandboxFiles: Sendable {
  let plan: SandboxPlan

  init(_ plan: SandboxPlan) { self.plan = plan }

  var resolvConf: String { plan.directory + "/resolv.conf" }
  var hosts: String { plan.directory + "/hosts" }
  var hostname: String { plan.directory + "/hostname" }
  var shm: String { plan.ownIPC ? plan.directory + "/shm" : "/dev/shm" }
  var containers: String { plan.directory + "/containers" }

  private static let shmSize = 64 << 20

  func make(_ config: Runtime_V1_PodSandboxConfig) throws {
    try Files.makeDirectories(containers)
    try Files.write(try resolvConfText(config.dnsConfig, has: config.hasDnsConfig), to: resolvConf, mode: 0o644)
    try Files.write(try Files.read("/etc/hosts"), to: hosts, mode: 0o644)
    try Files.write(effectiveHostname(config) + "\n", to: hostname, mode: 0o644)
    guard plan.ownIPC else { return }
    try Files.makeDirectories(shm, mode: 0o1777)
    try Mounts.mount(
      "shm", on: shm, type: "tmpfs", flags: [.noSUID, .noDevices, .noExec], data: "mode=1777,size=\(Self.shmSize)")
  }

  private func resolvConfText(_ dns: Runtime_V1_DNSConfig, has: Bool) throws -> [UInt8] {
    if has, !(dns.servers.isEmpty && dns.searches.isEmpty && dns.options.isEmpty) { return Array(ResolvConf.text(dns).utf8) }
    return Files.exists("/etc/resolv.conf") ? try Files.read("/etc/resolv.conf") : []
  }

  /// The host's own name for host-network pods, as their UTS namespace is the host's.
  private func effectiveHostname(_ config: Runtime_V1_PodSandboxConfig) -> String {
    plan.ownUTS && !config.hostname.isEmpty ? config.hostname : SystemName.hostname()
  }

  func unmount() async throws {
    let shm = shm
    guard plan.ownIPC else { return }
    try await BlockingWork.run { try Mounts.unmountIfMounted(shm) }
  }

  func remove() async throws {
    try await unmount()
    try await Trees.remove(plan.directory)
  }
}
