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
  /// Empty: that it is there says that a process is in a container.
  var marker: String { plan.directory + "/containerenv" }
  var shm: String { plan.ownIPC ? plan.directory + "/shm" : "/dev/shm" }
  var containers: String { plan.directory + "/containers" }

  func make(_ config: Runtime_V1_PodSandboxConfig) throws {
    try Files.makeDirectories(containers)
    try Files.write(PodFiles.resolvConf(config.dnsConfig, host: try hostFile("/etc/resolv.conf")), to: resolvConf, mode: 0o644)
    try Files.write(PodFiles.hostname(config, ownUTS: plan.ownUTS, host: SystemName.hostname()), to: hostname, mode: 0o644)
    try Files.write([], to: marker, mode: 0o644)
    try writeHosts(config, addresses: [])
    if let label = plan.fileLabel { for file in [resolvConf, hostname, hosts, marker] { try Files.setLabel(file, label) } }
    guard plan.ownIPC else { return }
    try Files.makeDirectories(shm, mode: 0o1777)
    try Mounts.mount("shm", on: shm, type: "tmpfs", flags: [.noSUID, .noDevices, .noExec], data: shmOptions)
  }

  /// Written again when the pod's addresses are known.
  func writeHosts(_ config: Runtime_V1_PodSandboxConfig, addresses: [String]) throws {
    let text = PodFiles.hosts(config, isHostNetwork: !plan.ownNetwork, addresses: addresses, host: try hostFile("/etc/hosts"))
    try Files.write(text, to: hosts, mode: 0o644)
  }

  private func hostFile(_ path: String) throws -> [UInt8] { Files.exists(path) ? try Files.read(path) : [] }

  func unmount() async throws {
    let mounts = (plan.ownIPC ? [shm] : []) + (plan.idMaps != nil ? [layers] : [])
    guard !mounts.isEmpty else { return }
    try await BlockingWork.run { for mount in mounts { try Mounts.unmountIfMounted(mount) } }
  }

  func remove() async throws {
    try await unmount()
    try await BlockingWork.run { try Files.removeTree(plan.directory) }
  }
}
