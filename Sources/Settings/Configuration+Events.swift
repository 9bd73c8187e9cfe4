extension Configuration {
  /// `[events]`: GetContainerEvents, and containerd's events.
  package struct Events: Equatable, Sendable {
    /// Key `queue_length`: events that a subscriber may be behind before it is told that it missed some, and that are kept while there is none.
    package var queueLength = 1000
    /// Key `retention`: how long events are kept while nobody listens; 0 for not at all.
    package var retention = Duration.seconds(300)

    mutating func apply(_ table: inout TableReader) throws(SettingsError) {
      try table.set(&queueLength, "queue_length", check: Check.range(16...(1 << 20)))
      try table.set(&retention, "retention", check: Check.duration(.zero ... .seconds(86400)))
    }
  }
}
