import CRIAPI
import Core
import Engine
import Linux

extension MetricFamily {
  static let disk: [MetricFamily] = [
    filesystem("fs_inodes_free", "Number of available inodes.") { capacity, _ in capacity.freeInodes },
    filesystem("fs_inodes_total", "Number of inodes.") { capacity, _ in capacity.inodes },
    filesystem("fs_limit_bytes", "Number of bytes that can be consumed by the container on this filesystem.") { capacity, _ in
      capacity.bytes
    },
    filesystem("fs_usage_bytes", "Number of bytes that are consumed by the container on this filesystem.") { _, container in
      container.writable.map { UInt64(clamping: $0.usage.bytes) }
    },
    device("fs_reads_bytes_total", "Cumulative count of bytes read.") { $0.readBytes },
    device("fs_reads_total", "Cumulative count of reads completed.") { $0.reads },
    device("fs_writes_bytes_total", "Cumulative count of bytes written.") { $0.writtenBytes },
    device("fs_writes_total", "Cumulative count of writes completed.") { $0.writes },
    MetricFamily(
      "blkio_device_usage_total", .counter, "Blkio device bytes usage.", labels: ["device", "major", "minor", "operation"]
    ) { subject in
      subject.group?.io.flatMap { device, counters in
        let labels = [device, "\(counters.device.major)", "\(counters.device.minor)"]
        return [
          (labels + ["Read"], counters.readBytes), (labels + ["Write"], counters.writtenBytes),
          (labels + ["Discard"], counters.discardedBytes),
        ]
      } ?? []
    },
  ]

  /// Of a container's writable layer and the filesystem it is on.
  private static func filesystem(
    _ name: String, _ help: String, _ value: @escaping @Sendable (FilesystemCapacity, ContainerDetails) -> UInt64?
  ) -> MetricFamily {
    MetricFamily(name, .gauge, help, labels: ["device"]) { subject in
      guard let capacity = subject.filesystem, let container = subject.container, let value = value(capacity, container) else { return [] }
      return [([capacity.device], value)]
    }
  }

  private static func device(_ name: String, _ help: String, _ value: @escaping @Sendable (IOCounters) -> UInt64) -> MetricFamily {
    MetricFamily(name, .counter, help, labels: ["device"]) { subject in
      subject.group?.io.map { ([$0.device], value($0.counters)) } ?? []
    }
  }

  static let network: [MetricFamily] = [
    interface("network_receive_bytes_total", "Cumulative count of bytes received.") { $0.receivedBytes },
    interface("network_receive_packets_total", "Cumulative count of packets received.") { $0.receivedPackets },
    interface("network_receive_packets_dropped_total", "Cumulative count of packets dropped while receiving.") { $0.receiveDrops },
    interface("network_receive_errors_total", "Cumulative count of errors encountered while receiving.") { $0.receiveErrors },
    interface("network_transmit_bytes_total", "Cumulative count of bytes transmitted.") { $0.sentBytes },
    interface("network_transmit_packets_total", "Cumulative count of packets transmitted.") { $0.sentPackets },
    interface("network_transmit_packets_dropped_total", "Cumulative count of packets dropped while transmitting.") { $0.sendDrops },
    interface("network_transmit_errors_total", "Cumulative count of errors encountered while transmitting.") { $0.sendErrors },
  ]

  private static func interface(_ name: String, _ help: String, _ value: @escaping @Sendable (NetworkCounters) -> UInt64) -> MetricFamily {
    MetricFamily(name, .counter, help, labels: ["interface"]) { subject in subject.network.map { ([$0.name], value($0)) } }
  }
}
