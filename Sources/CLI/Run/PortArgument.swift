import ArgumentParser
import CRIAPI
import SwiftProtobuf

/// `[IP:]HOST:CONTAINER[/udp]`, a port of the node that leads into a pod.
struct PortArgument: ExpressibleByArgument, Equatable {
  var address = ""
  var host: Int32
  var container: Int32
  var transport = Runtime_V1_Protocol.tcp

  init?(argument: String) {
    let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= 2, let first = parts.first else { return nil }
    if parts.count == 2 {
      guard let named = Self.transport(parts[1]) else { return nil }
      transport = named
    }
    var fields = first.split(separator: ":", omittingEmptySubsequences: false)
    guard fields.count >= 2, let container = Self.port(fields.removeLast()), let host = Self.port(fields.removeLast()) else { return nil }
    (self.host, self.container) = (host, container)
    // What is left of an IPv6 address in brackets was split as well.
    address = fields.joined(separator: ":")
    if address.hasPrefix("["), address.hasSuffix("]") { address = String(address.dropFirst().dropLast()) }
  }

  var mapping: Runtime_V1_PortMapping {
    .with { ($0.hostIp, $0.hostPort, $0.containerPort, $0.protocol) = (address, host, container, transport) }
  }

  private static func port(_ text: Substring) -> Int32? { Int32(text).flatMap { (1...65535).contains($0) ? $0 : nil } }

  private static func transport(_ name: Substring) -> Runtime_V1_Protocol? {
    switch name {
    case "tcp": .tcp
    case "udp": .udp
    case "sctp": .sctp
    default: nil
    }
  }
}

/// `HOST:CONTAINER[:ro]`, a path of the node that is seen in a container.
struct MountArgument: ExpressibleByArgument, Equatable {
  let host: String
  let container: String
  let readOnly: Bool

  init?(argument: String) {
    let fields = argument.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard (2...3).contains(fields.count), fields[0].hasPrefix("/"), fields[1].hasPrefix("/") else { return nil }
    guard fields.count == 2 || fields[2] == "ro" || fields[2] == "rw" else { return nil }
    (host, container, readOnly) = (fields[0], fields[1], fields.last == "ro")
  }

  var mount: Runtime_V1_Mount {
    .with { ($0.hostPath, $0.containerPath, $0.readonly) = (host, container, readOnly) }
  }
}
