/// Counters of one interface, since it was made.
package struct NetworkCounters: Sendable, Hashable {
  package var name: String
  package var receivedBytes: UInt64 = 0
  package var receivedPackets: UInt64 = 0
  package var receiveErrors: UInt64 = 0
  package var receiveDrops: UInt64 = 0
  package var sentBytes: UInt64 = 0
  package var sentPackets: UInt64 = 0
  package var sendErrors: UInt64 = 0
  package var sendDrops: UInt64 = 0

  package init(name: String) { self.name = name }

  /// /proc/PID/net/dev (proc_net(5)): two lines of titles, then `name: ` and 16 numbers. Sorted by name.
  package static func parse(_ text: [UInt8]) -> [NetworkCounters] {
    var interfaces: [NetworkCounters] = []
    KernelText.forEachLine(text) { line in
      guard let colon = line.lastIndex(of: 0x3A) else { return }
      let values = KernelText.fields(line[(colon + 1)...]).map { KernelText.number($0) ?? 0 }
      let name = line[..<colon].drop { $0 == 0x20 }
      guard values.count >= 16 else { return }
      var interface = NetworkCounters(name: String(decoding: name, as: UTF8.self))
      (interface.receivedBytes, interface.receivedPackets) = (values[0], values[1])
      (interface.receiveErrors, interface.receiveDrops) = (values[2], values[3])
      (interface.sentBytes, interface.sentPackets) = (values[8], values[9])
      (interface.sendErrors, interface.sendDrops) = (values[10], values[11])
      interfaces.append(interface)
    }
    return interfaces.sorted { $0.name < $1.name }
  }

  /// Of the network namespace that `pid` is in; nil where there is no such process.
  package static func read(pid: Int32) -> [NetworkCounters]? { KernelText.read("/proc/\(pid)/net/dev").map(parse) }
}
