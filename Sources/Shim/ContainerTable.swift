/// Every container that is not deleted.
final class ContainerTable {
  /// Exit records outlive their containers, for a daemon that was not there; but a pod may restart its containers for months.
  private static let recordsKept = 32

  private(set) var all: [Container] = []
  private var records: [Bytes] = []

  func add(_ container: Container) {
    all.append(container)
    container.deleted = { self.remove(container) }
  }

  private func remove(_ container: Container) {
    all.removeAll { $0 === container }
    container.deleted = {}
    records.removeAll { $0 == container.exitPath }
    records.append(container.exitPath)
    if records.count > Self.recordsKept { Files.remove(records.removeFirst()) }
  }

  func find(_ id: Bytes) -> Container? { all.first { $0.id == id } }

  /// Answers the call where there is none.
  func find(_ id: Bytes, _ call: Call) -> Container? {
    if let container = find(id) { return container }
    call.fail(Failure(.notFound, "container " + id + " is not known"))
    return nil
  }
}
