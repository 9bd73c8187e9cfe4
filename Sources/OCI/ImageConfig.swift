/// What an image says about itself and about processes made from it (OCI image spec, config.md).
/// Absent and null members read as empty: builders differ.
package struct ImageConfig: Hashable, Sendable, Codable {
  /// RFC 3339.
  package var created: String?
  package var author: String?
  package var architecture = ""
  package var os = ""
  package var variant: String?
  package var config = Execution()
  package var rootfs = RootFS()
  package var history: [History] = []

  package init() {}

  enum CodingKeys: String, CodingKey {
    case created, author, architecture, os, variant, config, rootfs, history
  }

  /// Base of a container's process.
  package struct Execution: Hashable, Sendable {
    /// `user[:group]`, names or numbers.
    package var user = ""
    /// `KEY=value`.
    package var env: [String] = []
    package var entrypoint: [String] = []
    package var cmd: [String] = []
    package var workingDir = ""
    /// Paths, sorted.
    package var volumes: [String] = []
    /// `80/tcp`, sorted.
    package var exposedPorts: [String] = []
    package var labels: [String: String] = [:]
    /// `SIGTERM`, `TERM` or a number.
    package var stopSignal = ""

    package init() {}
  }

  package struct RootFS: Hashable, Sendable, Codable {
    package var type = "layers"
    package var diffIDs: [Digest] = []

    package init(diffIDs: [Digest] = []) { self.diffIDs = diffIDs }

    enum CodingKeys: String, CodingKey {
      case type
      case diffIDs = "diff_ids"
    }
  }

  package struct History: Hashable, Sendable, Codable {
    package var created: String?
    package var createdBy: String?
    package var author: String?
    package var comment: String?
    package var emptyLayer: Bool?

    package init() {}

    enum CodingKeys: String, CodingKey {
      case created, author, comment
      case createdBy = "created_by"
      case emptyLayer = "empty_layer"
    }
  }
}

extension ImageConfig {
  package static func parse(_ bytes: [UInt8]) throws(DocumentError) -> ImageConfig {
    try JSONDocument.decode(ImageConfig.self, from: bytes, as: "image configuration")
  }

  package var platform: Platform { Platform(os: os, architecture: architecture, variant: variant) }

  /// For an image that was found without an index. A configuration that names no architecture runs anywhere as far as it says.
  package func check(runsOn host: Platform) throws(PlatformError) {
    if os.isEmpty && architecture.isEmpty || host.rank(of: platform) != nil { return }
    throw PlatformError(wanted: host, available: [platform.description])
  }

  /// One diff ID for each of the manifest's layers.
  package func diffIDs(for manifest: Manifest) throws(DocumentError) -> [Digest] {
    guard rootfs.diffIDs.count == manifest.layers.count else {
      throw DocumentError(
        "image configuration", "\(rootfs.diffIDs.count) diff IDs for the manifest's \(manifest.layers.count) layers")
    }
    return rootfs.diffIDs
  }
}

/// Names a stack of layers (OCI image spec, config.md "Layer ChainID").
package enum ChainID {
  /// The chain ID of the whole stack, lowest layer first; `nil` for no layer.
  package static func compute(_ diffIDs: [Digest]) -> Digest? { chain(diffIDs).last }

  /// The chain ID of every prefix of the stack, lowest first.
  package static func chain(_ diffIDs: [Digest]) -> [Digest] {
    diffIDs.reduce(into: []) { chain, diffID in
      chain.append(chain.last.map { Digest.sha256(of: Array("\($0) \(diffID)".utf8)) } ?? diffID)
    }
  }
}
