import Core
import Linux

/// The daemon's directories. What a reboot makes worthless lives on tmpfs: where the state directory is on none, one is mounted there.
enum StateDirectory {
  static func prepare(root: String, state: String, netns: String) throws {
    try Files.makeDirectories(root, mode: 0o700)
    try Files.makeDirectories(state, mode: 0o711)
    if try !Filesystem.isTmpfs(state) {
      try Mounts.mount("berth", on: state, type: "tmpfs", flags: [.noSUID, .noDevices], data: "mode=711")
    }
    try Files.makeDirectories(state + "/sandboxes", mode: 0o711)
    try Files.makeDirectories(state + "/runtime", mode: 0o700)
    try Files.makeDirectories(netns, mode: 0o755)
  }
}
