import CLinux
package import Core
import Linux

/// Mounts layers the way a shim does, several of them by `lowerdir+` one by one, while `body` runs.
package func withOverlay<T>(
  _ mount: RootfsMount, at target: String, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> T
) async throws -> T {
  try Files.makeDirectories(target)
  try mountOverlay(mount, at: target)
  defer { umount2(target, Int32(MNT_DETACH)) }
  return try await body()
}

private func mountOverlay(_ mount: RootfsMount, at target: String) throws {
  let context = FileHandle(owning: try check("fsopen", "overlay") { fsopen("overlay", 1) })
  func set(_ key: String, _ value: String?) throws {
    let command = value == nil ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING
    try check("fsconfig", "\(key)=\(value ?? "")") { fsconfig(context.raw, command.rawValue, key, value, 0) }
  }
  for layer in mount.lower { try set(mount.lower.count == 1 ? "lowerdir" : "lowerdir+", layer) }
  try mount.upper.map { try set("upperdir", $0) }
  try mount.work.map { try set("workdir", $0) }
  for option in mount.options {
    let parts = option.split(separator: "=", maxSplits: 1).map(String.init)
    try set(parts[0], parts.count > 1 ? parts[1] : nil)
  }
  try check("fsconfig", "create") { fsconfig(context.raw, FSCONFIG_CMD_CREATE.rawValue, nil, nil, 0) }
  let tree = FileHandle(owning: try check("fsmount", target) { fsmount(context.raw, 1, 0) })
  try check("move_mount", target) { move_mount(tree.raw, "", AT_FDCWD, target, 4) }
}
