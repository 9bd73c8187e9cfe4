extension CgroupReader {
  package enum Controller: Sendable, CaseIterable {
    case cpu, accounting, memory, processes, io, hugepages
  }

  /// The directory of the group at `path` in the hierarchy that has the controller; nil where none has.
  package func directory(of path: String, _ controller: Controller) -> (path: String, isUnified: Bool)? {
    let place =
      switch controller {
      case .cpu: cpu
      case .accounting: accounting
      case .memory: memory
      case .processes: processes
      case .io: io
      case .hugepages: hugepages
      }
    switch place {
    case .legacy(let mount): return (mount + path, false)
    case .unified(let mount): return (mount + path, true)
    case nil: return nil
    }
  }
}
