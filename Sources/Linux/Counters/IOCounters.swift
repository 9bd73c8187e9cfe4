/// What a cgroup and all below it read from and wrote to one block device.
package struct IOCounters: Sendable, Hashable {
  package let device: DeviceNumber
  package var readBytes: UInt64 = 0
  package var writtenBytes: UInt64 = 0
  package var discardedBytes: UInt64 = 0
  package var reads: UInt64 = 0
  package var writes: UInt64 = 0
  package var discards: UInt64 = 0

  package init(device: DeviceNumber) { self.device = device }

  /// `io.stat` of v2: `8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6`. A device that only has other keys is left out.
  package static func unified(_ text: [UInt8]) -> [IOCounters] {
    var devices: [IOCounters] = []
    KernelText.forEachLine(text) { line in
      let fields = KernelText.fields(line)
      guard let first = fields.first, var device = device(first).map({ IOCounters(device: $0) }) else { return }
      for field in fields.dropFirst() { device.add(field) }
      devices.append(device)
    }
    return devices
  }

  private mutating func add(_ field: ArraySlice<UInt8>) {
    guard let sign = field.firstIndex(of: 0x3D), let value = KernelText.number(field[(sign + 1)...]) else { return }
    let name = field[..<sign]
    if KernelText.equal(name, "rbytes") { readBytes = value }
    if KernelText.equal(name, "wbytes") { writtenBytes = value }
    if KernelText.equal(name, "dbytes") { discardedBytes = value }
    if KernelText.equal(name, "rios") { reads = value }
    if KernelText.equal(name, "wios") { writes = value }
    if KernelText.equal(name, "dios") { discards = value }
  }

  /// v1's `blkio.throttle.io_service_bytes_recursive` and `….io_serviced_recursive`: `8:0 Read 1`, a line an operation.
  package static func legacy(bytes: [UInt8], operations: [UInt8]) -> [IOCounters] {
    var devices: [DeviceNumber: IOCounters] = [:]
    each(bytes) { device, operation, value in
      switch operation {
      case .read: devices[device, default: IOCounters(device: device)].readBytes = value
      case .write: devices[device, default: IOCounters(device: device)].writtenBytes = value
      case .discard: devices[device, default: IOCounters(device: device)].discardedBytes = value
      }
    }
    each(operations) { device, operation, value in
      switch operation {
      case .read: devices[device, default: IOCounters(device: device)].reads = value
      case .write: devices[device, default: IOCounters(device: device)].writes = value
      case .discard: devices[device, default: IOCounters(device: device)].discards = value
      }
    }
    return devices.values.sorted { ($0.device.major, $0.device.minor) < ($1.device.major, $1.device.minor) }
  }

  private enum Operation { case read, write, discard }

  private static func each(_ text: [UInt8], _ body: (DeviceNumber, Operation, UInt64) -> Void) {
    KernelText.forEachLine(text) { line in
      let fields = KernelText.fields(line)
      guard fields.count == 3, let device = device(fields[0]), let value = KernelText.number(fields[2]) else { return }
      if KernelText.equal(fields[1], "Read") { body(device, .read, value) }
      if KernelText.equal(fields[1], "Write") { body(device, .write, value) }
      if KernelText.equal(fields[1], "Discard") { body(device, .discard, value) }
    }
  }

  /// `8:16`.
  package static func device(_ text: ArraySlice<UInt8>) -> DeviceNumber? {
    let parts = text.split(separator: 0x3A)
    guard parts.count == 2, let major = KernelText.number(parts[0]), let minor = KernelText.number(parts[1]) else { return nil }
    return DeviceNumber(major: UInt32(truncatingIfNeeded: major), minor: UInt32(truncatingIfNeeded: minor))
  }
}
