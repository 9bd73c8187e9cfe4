package import Linux

/// What must be looked up while a spec is built, and only if it is needed.
package struct Lookups: Sendable {
  /// A file of the image's merged layers; `nil` where there is none.
  package var imageFile: @Sendable (String) throws -> [UInt8]?
  /// A seccomp profile on the node; `nil` where there is none.
  package var seccompProfile: @Sendable (String) throws -> [UInt8]?
  /// The device at a host path, or the devices below it.
  package var devices: @Sendable (String) throws -> [DeviceNode]
  /// All devices a privileged container sees.
  package var hostDevices: @Sendable () throws -> [DeviceNode]
  package var mounts: @Sendable () throws -> [MountInfo]

  /// Everything but the image from this node.
  package init(imageFile: @escaping @Sendable (String) throws -> [UInt8]?) {
    self.imageFile = imageFile
    seccompProfile = { path in Files.exists(path) ? try Files.read(path, limit: 4 << 20) : nil }
    devices = { path in try DeviceNode.all(at: path) }
    hostDevices = { try DeviceNode.ofHost() }
    mounts = { try MountInfo.read() }
  }
}
