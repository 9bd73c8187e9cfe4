/// berth.shim.v1.SetupRequest
struct SetupRequest {
  struct Sysctl {
    var name = Bytes()
    var value = Bytes()
  }

  var sandboxID = Bytes()
  var network = false
  var ipc = false
  var uts = false
  var pid = false
  var hostname = Bytes()
  var sysctls: [Sysctl] = []
  var netnsPath = Bytes()
  /// Lines of /proc/PID/uid_map and gid_map; empty for the host's user namespace.
  var uidMap = Bytes()
  var gidMap = Bytes()

  init(_ message: Bytes) throws(Malformed) {
    var reader = ProtobufReader(message)
    while let field = try reader.next() {
      switch field.number {
      case 1: sandboxID = field.bytes
      case 2: network = field.bool
      case 3: ipc = field.bool
      case 4: uts = field.bool
      case 5: pid = field.bool
      case 6: hostname = field.bytes
      case 7: sysctls.append(try Sysctl(field.bytes))
      case 8: netnsPath = field.bytes
      case 20: uidMap = field.bytes
      case 21: gidMap = field.bytes
      default: break
      }
    }
  }

  var hasUserNamespace: Bool { !uidMap.isEmpty }

  /// The first thing that cannot be asked for.
  var complaint: Failure? {
    if !netnsPath.isEmpty && (netnsPath[0] != 47 || netnsPath.contains(0)) {
      return Failure(.invalidArgument, "netns_path is not absolute")
    }
    if uidMap.isEmpty != gidMap.isEmpty || uidMap.contains(0) || gidMap.contains(0) {
      return Failure(.invalidArgument, "uid_map and gid_map belong together")
    }
    if network && netnsPath.isEmpty { return Failure(.invalidArgument, "netns_path is missing") }
    if hostname.count > 64 || hostname.contains(0) { return Failure(.invalidArgument, "hostname is longer than 64 bytes") }
    for sysctl in sysctls where !isNamespaced(sysctl) {
      return Failure(.invalidArgument, "sysctl \"" + sysctl.name + "\" is not in a namespace of the pod's own")
    }
    return nil
  }

  /// A child in the host's namespace would change the host.
  private func isNamespaced(_ sysctl: Sysctl) -> Bool {
    guard let path = sysctl.path else { return false }
    if path.hasPrefix("net/") { return network }
    if path.hasPrefix("fs/mqueue/") { return ipc }
    if path.matches("kernel/domainname") || path.matches("kernel/hostname") { return uts }
    return ipc && (path.hasPrefix("kernel/shm") || path.hasPrefix("kernel/msg") || path.matches("kernel/sem"))
  }
}

extension SetupRequest.Sysctl {
  init(_ message: Bytes) throws(Malformed) {
    var reader = ProtobufReader(message)
    while let field = try reader.next() {
      switch field.number {
      case 1: name = field.bytes
      case 2: value = field.bytes
      default: break
      }
    }
  }

  /// Below /proc/sys. As in sysctl(8) the first separator decides: after a dot, dots separate and slashes stand for dots.
  /// Nil for a name that leads elsewhere.
  var path: Bytes? {
    let isDotted = name.first { $0 == 46 || $0 == 47 } == 46
    let path = name.map { byte in isDotted && byte == 46 ? 47 : isDotted && byte == 47 ? 46 : byte } as Bytes
    let parts = path.split(separator: 47, omittingEmptySubsequences: false)
    let isPlain = parts.allSatisfy { !$0.isEmpty && !$0.elementsEqual([46]) && !$0.elementsEqual([46, 46]) && !$0.contains(0) }
    return isPlain && parts.count > 1 && !value.contains(0) ? path : nil
  }
}
