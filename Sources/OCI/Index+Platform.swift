/// Nothing of an image suits the host.
package struct PlatformError: Error, Hashable, Sendable, CustomStringConvertible {
  package let wanted: Platform
  /// What there is, in the index's order, each once.
  package let available: [String]

  package init(wanted: Platform, available: [String]) {
    self.wanted = wanted
    self.available = available
  }

  package var description: String {
    let list = available.isEmpty ? "the index names no platform" : "it has " + available.joined(separator: ", ")
    return "no image for \(wanted): \(list)"
  }
}

extension Index {
  /// The best entry for `host`; the first of equals. An entry without a platform runs anywhere as far as the index knows, and comes last.
  package func entry(for host: Platform) throws(PlatformError) -> Descriptor {
    let images = manifests.filter { $0.isImage }
    var best: (rank: Int, entry: Descriptor)?
    for entry in images {
      guard let rank = entry.platform.map({ host.rank(of: $0) }) ?? -1 else { continue }
      if best == nil || rank > best!.rank { best = (rank, entry) }
    }
    if let best { return best.entry }
    var names: [String] = []
    for name in images.compactMap({ $0.platform?.description }) where !names.contains(name) { names.append(name) }
    throw PlatformError(wanted: host, available: names)
  }
}

extension Descriptor {
  /// Not an attestation (BuildKit stores them as manifests for `unknown/unknown`) nor an artifact of another kind.
  fileprivate var isImage: Bool {
    if annotations?["vnd.docker.reference.type"] == "attestation-manifest" { return false }
    if let platform, platform.os == "unknown" || platform.architecture == "unknown" { return false }
    return mediaType.isEmpty || kind == .manifest || kind == .index
  }
}
