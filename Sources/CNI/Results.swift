import Core

/// Reading plugins' results (CNI specification, section 5).
enum Results {
  /// The pod's addresses without prefix length, in the plugin's order. INTERNAL where it has none.
  ///
  /// An address belongs to the pod if its interface is in a sandbox, or if it names none. Where several interfaces are in the sandbox
  /// (delegating plugins), those of `ifName` come before all others.
  static func addresses(_ result: JSON, ifName: String) throws(Fault) -> [String] {
    let entries = (result["ips"]?.array ?? []).compactMap { entry -> (address: String, own: Bool)? in
      guard let address = entry["address"]?.string.map(withoutPrefix), !address.isEmpty else { return nil }
      guard let interface = interface(of: entry, in: result) else { return (address, true) }
      guard let sandbox = interface["sandbox"]?.string, !sandbox.isEmpty else { return nil }
      return (address, interface["name"]?.string == ifName)
    }
    guard !entries.isEmpty else { throw Fault(.internal, "the plugins' result has no address for \(ifName)") }
    return entries.filter(\.own).map(\.address) + entries.filter { !$0.own }.map(\.address)
  }

  private static func interface(of entry: JSON, in result: JSON) -> JSON? {
    guard let index = entry["interface"]?.integer, let interfaces = result["interfaces"]?.array, interfaces.indices.contains(index) else {
      return nil
    }
    return interfaces[index]
  }

  private static func withoutPrefix(_ address: String) -> String { String(address.prefix { $0 != "/" }) }

  /// A result as the next plugin expects it: in the network's version, whichever the plugin before it answered in.
  /// Versions 0.3.0 to 1.1.0 differ in one thing: up to 0.4.0 an address says its family.
  static func presentable(_ result: JSON, version: CNIVersion) -> JSON {
    guard result["cniVersion"]?.string != version.description else { return result }
    let dated = result.setting("cniVersion", .string(version.description))
    guard let addresses = result["ips"]?.array else { return dated }
    return dated.setting(
      "ips",
      .array(
        addresses.map { entry in
          guard version.namesFamily else { return entry.removing("version") }
          return entry.setting("version", (entry["address"]?.string ?? "").contains(":") ? "6" : "4")
        }))
  }
}
