/// Names of block devices, as mount(8) and df(1) know them.
package enum BlockDevice {
  /// `/dev/sda1`, `/dev/cciss/c0d0`; the two numbers where the kernel has no such device.
  package static func name(_ device: DeviceNumber, sysfs: String = "/sys") -> String {
    known(device, sysfs) ?? "\(device.major):\(device.minor)"
  }

  /// Of the device that a mounted filesystem is on; without a device of its own (overlay, btrfs, NFS) what its mount names as its source.
  package static func name(_ device: DeviceNumber, mount: MountInfo?, sysfs: String = "/sys") -> String {
    known(device, sysfs) ?? mount?.source ?? name(device, sysfs: sysfs)
  }

  /// A name's `/` is `!` in sysfs.
  private static func known(_ device: DeviceNumber, _ sysfs: String) -> String? {
    let target = try? Files.readLink("\(sysfs)/dev/block/\(device.major):\(device.minor)")
    return target?.split(separator: "/").last.map { "/dev/" + $0.replacing("!", with: "/") }
  }
}
