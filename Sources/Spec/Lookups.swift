package import Core
package import Linux

/// What must be looked up while a spec is built, and only if it is needed.
package struct Lookups: Sendable {
  /// A file of the image's merged layers; `nil` where there is none.
  package var imageFile: @Sendable (String) throws -> [UInt8]?
  /// Where paths lead in the image's merged layers.
  package var imagePlaces: @Sendable ([String]) throws -> [ImagePlace]
  /// A seccomp profile on the node; `nil` where there is none.
  package var seccompProfile: @Sendable (String) throws -> [UInt8]?
  /// That each of these host paths answers; what is there or not is none of its business. Before anything else touches them: a volume's server may be
  /// dead. Those that the CRI's own fields name have answered by now.
  package var look: @Sendable ([String]) throws -> Void
  /// Whether anything is at a host path.
  package var exists: @Sendable (String) -> Bool
  /// The device at a host path, or the devices below it.
  package var devices: @Sendable (String) throws -> [DeviceNode]
  /// All devices a privileged container sees.
  package var hostDevices: @Sendable () throws -> [DeviceNode]
  package var mounts: @Sendable () throws -> [MountInfo]
  /// Names of the AppArmor profiles that the kernel has; `nil` where it does not tell.
  package var appArmorProfiles: @Sendable () throws -> Set<String>?

  /// Processors, and nodes with memory, that the kernel lets a cgroup be given; `nil` where it does not tell.
  package var processors: @Sendable (NodeFacts.CgroupVersion) throws -> CPUSet?
  package var memoryNodes: @Sendable (NodeFacts.CgroupVersion) throws -> CPUSet?
  /// Whether the kernel's SELinux policy allows a label.
  package var isLabel: @Sendable (String) throws -> Bool

  /// Everything but the image from this node.
  package init(
    look: @escaping @Sendable ([String]) throws -> Void = { _ in }, imageFile: @escaping @Sendable (String) throws -> [UInt8]?
  ) {
    self.look = look
    self.imageFile = imageFile
    imagePlaces = { $0.map { ImagePlace($0, .absent) } }
    processors = { try Self.numbers("/sys/devices/system/cpu/" + ($0 == .v1 ? "online" : "possible")) }
    memoryNodes = { try Self.numbers("/sys/devices/system/node/" + ($0 == .v1 ? "has_memory" : "possible")) }
    seccompProfile = { try Self.profile($0, limit: 4 << 20) }
    exists = { Files.exists($0) }
    devices = { path in try DeviceNode.all(at: path) }
    hostDevices = { try DeviceNode.ofHost() }
    mounts = { try MountInfo.read() }
    isLabel = { try Self.isLabel($0, "/sys/fs/selinux/context") }
    appArmorProfiles = { try Self.loadedProfiles("/sys/kernel/security/apparmor/profiles") }
  }
}

extension Lookups {
  /// Devices and FIFOs have no end, or no beginning.
  private static func profile(_ path: String, limit: Int) throws(Fault) -> [UInt8]? {
    guard Files.exists(path) else { return nil }
    guard Files.isRegularFile(path) else { throw Fault(.failedPrecondition, "is no regular file") }
    do { return try Files.read(path, limit: limit) } catch { throw Fault(.failedPrecondition, "\(error)", cause: error) }
  }

  /// A kernel without NUMA has no files of nodes.
  private static func numbers(_ path: String) throws(SystemError) -> CPUSet? {
    guard Files.exists(path) else { return nil }
    return CPUSet(String(decoding: try Files.read(path).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
  }

  /// The kernel refuses to take what is none (EINVAL).
  private static func isLabel(_ label: String, _ path: String) throws(SystemError) -> Bool {
    do {
      try Files.write(Array(label.utf8) + [0], to: path, create: false)
      return true
    } catch {
      if error.isInvalid { return false }
      throw error
    }
  }

  /// Lines like `berth-default (enforce)`. Without securityfs there is no such file.
  private static func loadedProfiles(_ path: String) throws(SystemError) -> Set<String>? {
    guard Files.exists(path) else { return nil }
    let lines = String(decoding: try Files.read(path), as: UTF8.self).split(separator: "\n")
    return Set(
      lines.map { line in String(line.hasSuffix(")") ? line.prefix(upTo: line.lastIndex(of: "(") ?? line.endIndex).dropLast() : line) })
  }
}
