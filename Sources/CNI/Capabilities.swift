import Core

/// What a pod's attachment means in a plugin's terms: CNI_ARGS, and the values of `runtimeConfig` (CNI conventions).
enum Capabilities {
  /// `IgnoreUnknown=1;K8S_POD_NAMESPACE=…;…`. INVALID_ARGUMENT where a name would read as another argument.
  static func arguments(_ attachment: NetworkAttachment) throws(Fault) -> String {
    let pairs = [
      ("IgnoreUnknown", "1"), ("K8S_POD_NAMESPACE", attachment.podNamespace), ("K8S_POD_NAME", attachment.podName),
      ("K8S_POD_INFRA_CONTAINER_ID", attachment.sandboxID), ("K8S_POD_UID", attachment.podUID),
    ]
    for (name, value) in pairs where value.contains(where: { ";=\0".contains($0) }) {
      throw Fault(.invalidArgument, "\(name) \"\(value)\" has a character that plugins cannot be given (';', '=' or NUL)")
    }
    return pairs.map { "\($0)=\($1)" }.joined(separator: ";")
  }

  /// By capability; those a pod says nothing about are absent.
  static func values(_ attachment: NetworkAttachment) throws(Fault) -> JSON {
    var values: JSON = [:]
    let mappings = attachment.portMappings.filter { $0.hostPort > 0 }
    if !mappings.isEmpty { values = values.setting("portMappings", .array(mappings.map(portMapping))) }
    let bandwidth = try bandwidth(attachment.annotations)
    if bandwidth.members?.isEmpty == false { values = values.setting("bandwidth", bandwidth) }
    if let dns = attachment.dns { values = values.setting("dns", Self.dns(dns)) }
    let addresses = try addresses(attachment.annotations)
    if !addresses.isEmpty { values = values.setting("ips", .array(addresses.map { .string($0) })) }
    if let mac = try hardwareAddress(attachment.annotations) { values = values.setting("mac", .string(mac)) }
    if !attachment.cgroupParent.isEmpty { values = values.setting("cgroupPath", .string(attachment.cgroupParent)) }
    if !attachment.annotations.isEmpty {
      let members = attachment.annotations.sorted { $0.key < $1.key }.map { JSON.Member(key: $0.key, value: .string($0.value)) }
      values = values.setting("io.kubernetes.cri.pod-annotations", .object(members))
    }
    return values
  }

  private static func portMapping(_ mapping: NetworkAttachment.PortMapping) -> JSON {
    let value: JSON = [
      "hostPort": .number("\(mapping.hostPort)"), "containerPort": .number("\(mapping.containerPort)"),
      "protocol": .string(mapping.proto.lowercased()),
    ]
    return mapping.hostIP.isEmpty ? value : value.setting("hostIP", .string(mapping.hostIP))
  }

  private static func dns(_ dns: NetworkAttachment.DNS) -> JSON {
    let lists = [("servers", dns.servers), ("searches", dns.searches), ("options", dns.options)]
    return .object(lists.map { JSON.Member(key: $0.0, value: .array($0.1.map { .string($0) })) })
  }

  /// Annotation `berth.dev/cni-ips`: addresses the pod is to have, with prefix lengths, separated by commas.
  private static func addresses(_ annotations: [String: String]) throws(Fault) -> [String] {
    guard let text = annotations["berth.dev/cni-ips"] else { return [] }
    let parts = text.split(separator: ",").map { String($0.filter { $0 != " " }) }
    let allowed = Set("0123456789abcdefABCDEF.:/".utf8)
    guard !parts.isEmpty, parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(allowed.contains) }) else {
      throw Fault(.invalidArgument, "annotation berth.dev/cni-ips: \"\(text.prefix(100))\" is no list of addresses")
    }
    return parts
  }

  /// Annotation `berth.dev/cni-mac`.
  private static func hardwareAddress(_ annotations: [String: String]) throws(Fault) -> String? {
    guard let text = annotations["berth.dev/cni-mac"] else { return nil }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 6, parts.allSatisfy({ $0.utf8.count == 2 && UInt8($0, radix: 16) != nil }) else {
      throw Fault(.invalidArgument, "annotation berth.dev/cni-mac: \"\(text.prefix(100))\" is no hardware address")
    }
    return text
  }

  /// Bits a second; the burst is as large as plugins take it, so that the rate alone counts.
  private static func bandwidth(_ annotations: [String: String]) throws(Fault) -> JSON {
    var value: JSON = [:]
    for direction in ["ingress", "egress"] {
      let annotation = "kubernetes.io/\(direction)-bandwidth"
      guard let text = annotations[annotation] else { continue }
      guard let rate = Quantity.integer(text), (1000...1_000_000_000_000_000).contains(rate) else {
        throw Fault(.invalidArgument, "annotation \(annotation): \"\(text)\" is not a rate between 1k and 1P")
      }
      value = value.setting("\(direction)Rate", .number("\(rate)")).setting("\(direction)Burst", .number("\(UInt32.max)"))
    }
    return value
  }
}

/// Kubernetes' quantities, `10M` or `1.5Gi`, as far as they are whole numbers.
enum Quantity {
  private static let suffixes: [(String, UInt64)] = [
    ("Ki", 1 << 10), ("Mi", 1 << 20), ("Gi", 1 << 30), ("Ti", 1 << 40), ("Pi", 1 << 50), ("k", 1000), ("M", 1_000_000),
    ("G", 1_000_000_000), ("T", 1_000_000_000_000), ("P", 1_000_000_000_000_000),
  ]

  /// Rounded up; nil where it is no positive quantity of this form.
  static func integer(_ text: String) -> UInt64? {
    let (suffix, factor) = suffixes.first { text.hasSuffix($0.0) } ?? ("", 1)
    let number = text.dropLast(suffix.utf8.count)
    let isDecimal = number.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: ".") }
    guard isDecimal, let value = Double(number) else { return nil }
    let product = (value * Double(factor)).rounded(.up)
    return product.isFinite && product < 1e18 ? UInt64(product) : nil
  }
}
