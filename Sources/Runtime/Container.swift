import CLinux

/// A container by its name: where this program keeps what it knows of it.
struct Container {
  let root: Bytes
  let id: Bytes

  var directory: Bytes { root + "/" + id }
  private var recordPath: Bytes { directory + "/record" }

  /// What may become one component of a path.
  static func isID(_ id: Bytes) -> Bool {
    !id.isEmpty && id.count <= 128 && id[0] != 46
      && id.allSatisfy { (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || [43, 45, 46, 95].contains($0) }
  }

  func makeDirectory() throws(Failure) {
    _ = Files.makeDirectory(root)
    guard directory.withCString({ mkdir($0, 0o700) }) == 0 else {
      if clinux_errno() == EEXIST { throw Failure(.alreadyExists, "container " + id + " exists already") }
      throw SystemFailure.failure("directory", directory)
    }
  }

  func save(_ record: ContainerRecord) throws(Failure) {
    guard Files.replace(recordPath, record.bytes) else { throw SystemFailure.failure("writing", recordPath) }
  }

  /// Nil where there is no such container.
  var record: ContainerRecord? {
    get throws(Failure) {
      guard Files.exists(directory) else { return nil }
      do throws(Malformed) { return try ContainerRecord(Files.read(recordPath) ?? []) } catch {
        throw Failure(.internal, recordPath + " is damaged")
      }
    }
  }

  var knownRecord: ContainerRecord {
    get throws(Failure) {
      if let record = try record { return record }
      throw Failure(.notFound, "container " + id + " does not exist")
    }
  }

  /// Leaves what is not this program's own.
  func forget() { Files.remove(recordPath) }

  func removeDirectory() {
    for name in Files.names(directory) { Files.remove(directory + "/" + name) }
    _ = directory.withCString { rmdir($0) }
  }

  /// All others below the same root.
  var siblings: [(id: Bytes, record: ContainerRecord)] {
    Files.names(root).compactMap { name in
      guard !name.elementsEqual(id), let bytes = Files.read(root + "/" + name + "/record") else { return nil }
      return (try? ContainerRecord(bytes)).map { (name, $0) }
    }
  }

  /// Whether another container has the same shim.
  func sharesShim(_ record: ContainerRecord) -> Bool { siblings.contains { $0.record.address.elementsEqual(record.address) } }
}
