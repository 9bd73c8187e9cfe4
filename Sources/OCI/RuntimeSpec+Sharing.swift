extension RuntimeSpec {
  /// Cache and memory bandwidth by Intel's resource director (config-linux.md "Intel RDT").
  package struct IntelRDT: Hashable, Sendable, Codable {
    /// A directory of the resctrl filesystem.
    package var closID: String?
    package var l3CacheSchema: String?
    package var memBwSchema: String?
    /// Since 1.3.
    package var schemata: [String]?
    /// Since 1.3, in the place of the two after it.
    package var enableMonitoring: Bool?
    package var enableCMT: Bool?
    package var enableMBM: Bool?

    package init(
      closID: String?, l3CacheSchema: String?, memBwSchema: String?, schemata: [String]?, enableMonitoring: Bool?, enableCMT: Bool?,
      enableMBM: Bool?
    ) {
      self.closID = closID
      self.l3CacheSchema = l3CacheSchema
      self.memBwSchema = memBwSchema
      self.schemata = schemata
      self.enableMonitoring = enableMonitoring
      self.enableCMT = enableCMT
      self.enableMBM = enableMBM
    }
  }

  /// What an interface of the host is called in the container that it moves into (config-linux.md "Network Devices", since 1.3).
  package struct NetDevice: Hashable, Sendable, Codable {
    package var name: String

    package init(name: String) { self.name = name }
  }
}
