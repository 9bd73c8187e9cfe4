/// Every container that is not deleted.
final class ContainerTable {
  private(set) var all: [Container] = []

  func add(_ container: Container) {
    all.append(container)
    container.deleted = { self.all.removeAll { $0 === container } }
  }

  func find(_ id: Bytes) -> Container? { all.first { $0.id == id } }

  /// Answers the call where there is none.
  func find(_ id: Bytes, _ call: Call) -> Container? {
    if let container = find(id) { return container }
    call.fail(Failure(.notFound, "container " + id + " is not known"))
    return nil
  }
}
