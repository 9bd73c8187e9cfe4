import Core
import Linux

/// The directory of network configurations. Read anew each time it is asked (a few small files): nothing to invalidate, nothing to miss.
struct ConfigurationDirectory: Sendable {
  /// What the directory holds at the moment.
  struct Contents: Sendable {
    /// Of the first files by name that are valid, as many as are wanted.
    var networks: [NetworkList] = []
    var files: [String] = []
    /// Files before the last of them that cannot be used, and why.
    var invalid: [(file: String, reason: String)] = []
  }

  let path: String
  /// Networks that a pod gets; 0 for all that there are.
  var count = 1
  /// Name of the network that comes first wherever its file is; without it there is none at all.
  var preferred: String?

  private static let limit = 1 << 20

  func read() -> Contents {
    guard let preferred else { return read(count) }
    var all = read(0)
    guard let place = all.networks.firstIndex(where: { $0.name == preferred }) else {
      let reason = "no network is called \"\(preferred)\""
      return Contents(invalid: all.invalid + [(path, reason)])
    }
    all.networks.insert(all.networks.remove(at: place), at: 0)
    all.files.insert(all.files.remove(at: place), at: 0)
    if count > 0 { (all.networks, all.files) = (Array(all.networks.prefix(count)), Array(all.files.prefix(count))) }
    return all
  }

  private func read(_ count: Int) -> Contents {
    var contents = Contents()
    for name in (try? Files.list(path)) ?? [] where Self.isConfiguration(name) && Files.isRegularFile("\(path)/\(name)") {
      do {
        contents.networks.append(try network(name))
        contents.files.append(name)
        if contents.networks.count == count { return contents }
      } catch {
        contents.invalid.append((name, "\(error)"))
      }
    }
    return contents
  }

  /// The networks to attach pods to, the one that gives them their addresses first; FAILED_PRECONDITION with what is wrong with the directory.
  func networks() throws(Fault) -> [NetworkList] {
    let contents = read()
    if !contents.networks.isEmpty { return contents.networks }
    let invalid = contents.invalid.map { "\($0.file): \($0.reason)" }.joined(separator: "; ")
    throw Fault(.failedPrecondition, "no network configuration in \(path)" + (invalid.isEmpty ? "" : " (\(invalid))"))
  }

  private static func isConfiguration(_ name: String) -> Bool {
    name.hasSuffix(".conflist") || name.hasSuffix(".conf") || name.hasSuffix(".json")
  }

  /// A list in a file that is not called one, and the other way round, is taken for what it is.
  private func network(_ name: String) throws -> NetworkList {
    let json = try JSON(parsing: try Files.read("\(path)/\(name)", limit: Self.limit))
    if !name.hasSuffix(".conflist"), json["plugins"] == nil { return try NetworkList(single: json) }
    return try NetworkList(json, additional: try additional(json))
  }

  /// Plugins of a list in files of their own: `<directory>/<network>/*.conf` (libcni 1.3).
  private func additional(_ json: JSON) throws -> [JSON] {
    guard json["loadOnlyInlinedPlugins"] != true, let name = json["name"]?.string, Names.isValid(name) else { return [] }
    let names = (try? Files.list("\(path)/\(name)")) ?? []
    return try names.filter { $0.hasSuffix(".conf") }.map { try JSON(parsing: try Files.read("\(path)/\(name)/\($0)", limit: Self.limit)) }
  }
}
