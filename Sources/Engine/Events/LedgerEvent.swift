import Linux

/// One change in the life of a sandbox or a container, with the whole pod as it was right after.
package struct LedgerEvent: Sendable {
  package enum Kind: Sendable, Hashable {
    case created, started, stopped, deleted
  }

  package let kind: Kind
  /// Of the container, or of the sandbox where it is its own change.
  package let id: String
  /// Nanoseconds since the epoch.
  package let at: Int64
  /// The sandbox; its last state where it was deleted. `nil` where its record is missing.
  package let sandbox: SandboxRecord?
  /// All containers of the sandbox, without a deleted one.
  package let containers: [ContainerRecord]

  init(kind: Kind, id: String, at: Int64 = SystemClock.realtimeNanoseconds(), sandbox: SandboxRecord?, containers: [ContainerRecord]) {
    self.kind = kind
    self.id = id
    self.at = at
    self.sandbox = sandbox
    self.containers = containers
  }
}

extension SandboxRecord {
  /// What happened between `before` and this, in order. A sandbox that is still being made does not exist yet.
  func changes(from before: SandboxRecord?) -> [LedgerEvent.Kind] {
    switch (before?.state ?? .creating, state) {
    case (.creating, .ready): [.created, .started]
    case (.creating, .notReady): [.created, .stopped]
    case (.ready, .notReady): [.stopped]
    default: []
    }
  }
}

extension ContainerRecord {
  func change(from before: ContainerRecord?) -> LedgerEvent.Kind? {
    switch (before?.state, state) {
    case (nil, .created): .created
    case (.created, .running): .started
    case (.created, .exited), (.running, .exited): .stopped
    default: nil
    }
  }
}
