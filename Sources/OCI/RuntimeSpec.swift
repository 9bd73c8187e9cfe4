/// A bundle's `config.json` (OCI runtime spec 1.0.2, config.md): the part that Berth writes. Empty members are left out;
/// ``encoded`` is stable, equal specs are equal bytes.
package struct RuntimeSpec: Hashable, Sendable, Codable {
  /// runc 1.1 knows 1.0.2; nothing used here is newer.
  package static let version = "1.0.2"

  package var ociVersion = RuntimeSpec.version
  package var process: Process
  package var root: Root
  package var hostname: String?
  package var mounts: [Mount]
  package var hooks: Hooks?
  package var annotations: [String: String]?
  package var linux: Linux

  package init(process: Process, root: Root, mounts: [Mount] = [], linux: Linux = Linux()) {
    self.process = process
    self.root = root
    self.mounts = mounts
    self.linux = linux
  }

  package var encoded: [UInt8] { JSONDocument.encode(self) }

  package static func parse(_ bytes: [UInt8]) throws(DocumentError) -> RuntimeSpec {
    try JSONDocument.decode(RuntimeSpec.self, from: bytes, as: "runtime spec", limit: 64 << 20)
  }

  package struct Root: Hashable, Sendable, Codable {
    /// Relative to the bundle, or absolute.
    package var path: String
    package var readonly: Bool?

    package init(path: String, readonly: Bool? = nil) {
      self.path = path
      self.readonly = readonly
    }
  }

  /// config.md "Mounts"; mounted in this order.
  package struct Mount: Hashable, Sendable, Codable {
    package var destination: String
    package var type: String?
    package var source: String?
    package var options: [String]?
    package var uidMappings: [IDMapping]?
    package var gidMappings: [IDMapping]?

    package init(_ destination: String, type: String, source: String, options: [String]) {
      self.destination = destination
      self.type = type
      self.source = source
      self.options = options
    }
  }

  package struct IDMapping: Hashable, Sendable, Codable {
    package var containerID: UInt32
    package var hostID: UInt32
    package var size: UInt32

    package init(containerID: UInt32, hostID: UInt32, size: UInt32) {
      self.containerID = containerID
      self.hostID = hostID
      self.size = size
    }
  }
}
