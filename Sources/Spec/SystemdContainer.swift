import CRIAPI
import Core
import OCI

/// Programs that are meant to be the first of a machine.
enum InitProgram {
  static func isOne(_ program: String) -> Bool { program.hasSuffix("/sbin/init") || isSystemd(program) }

  /// By its own name; what is called init may be another.
  static func isSystemd(_ program: String) -> Bool { program.split(separator: "/").last == "systemd" }
}

/// What systemd needs to be a container's init (systemd.io/CONTAINER_INTERFACE): places to write to, a cgroup of its own to divide, word of where
/// it is, and a signal that it takes for the end. Containers whose program is systemd or /sbin/init get it, as with CRI-O and podman.
extension SpecInputs {
  private static let places = ["/run", "/run/lock", "/tmp", "/var/log/journal"]
  private static let programs = ["/usr/lib/systemd/systemd", "/lib/systemd/systemd"]

  private var program: String? { try? ContainerCommand.resolve(command: container.command, args: container.args, image: image).first }

  var runsInit: Bool { program.map(InitProgram.isOne) ?? false }

  /// With what the image has there; where something is mounted already, that stays.
  func initMounts(beside mounts: [RuntimeSpec.Mount]) -> [RuntimeSpec.Mount] {
    guard runsInit else { return [] }
    let taken = Set(mounts.map(\.destination))
    return Self.places.filter { !taken.contains($0) }.map { place in
      let options = ["rw", "rprivate", "nosuid", "nodev", "tmpcopyup"] + (place == "/tmp" ? ["mode=1777"] : [])
      return RuntimeSpec.Mount(place, type: "tmpfs", source: "tmpfs", options: options)
    }
  }

  /// Other programs called /sbin/init end by SIGTERM, by which systemd starts itself anew.
  func initStopSignal() throws(Fault) -> Int32? {
    guard let program, runsInit else { return nil }
    if !InitProgram.isSystemd(program), try !hasSystemd() { return nil }
    return SignalName.number(of: "RTMIN+3")
  }

  private func hasSystemd() throws(Fault) -> Bool {
    try stage("looking for systemd in the image") { try Self.programs.contains { try lookups.imageFile($0) != nil } }
  }

  func warnOfInit(_ warnings: inout [String]) {
    guard runsInit, node.cgroupVersion == .v1, !security.privileged else { return }
    warnings.append("\(program ?? ""): systemd wants a cgroup of its own to divide, which takes cgroup v2")
  }
}
