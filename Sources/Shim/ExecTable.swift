import CLinux

/// Every exec session that is not deleted.
final class ExecTable {
  private(set) var all: [Exec] = []
  private var lastNumber: Int64 = 0

  /// Sets an exec's files apart.
  func nextNumber() -> Int64 {
    lastNumber += 1
    return lastNumber
  }

  func add(_ exec: Exec) { all.append(exec) }
  func remove(_ exec: Exec) { all.removeAll { $0 === exec } }
  func find(_ container: Bytes, _ id: Bytes) -> Exec? { all.first { $0.id == id && $0.container.id == container } }

  /// Nobody will read what its execs say, nor delete them.
  func connectionEnded(_ serial: Int) {
    for exec in all where exec.connection == serial {
      exec.whenEnded { _ in self.remove(exec) }
      exec.hangUp()
    }
  }
}
