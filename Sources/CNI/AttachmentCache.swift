import Core
import Linux
import Logging
import Synchronization

/// The directory of attachment records: one file a sandbox, and a subdirectory for those whose DEL has failed.
///
/// In memory it keeps IDs and addresses only; the rest is read when it is needed.
final class AttachmentCache: Sendable {
  private struct Index {
    /// Addresses by sandbox; nil while not attached (yet).
    var attached: [String: [String]?] = [:]
    var pending: [String: PendingDetach] = [:]
  }

  private let directory: String
  private let pendingDirectory: String
  private let index = Mutex(Index())
  private let durability: BackgroundSync
  private let logger: Logger

  /// Reads what is there. A file that cannot be read stays listed, so that its sandbox gets a DEL all the same.
  init(_ directory: String, logger: Logger) throws(SystemError) {
    self.directory = directory
    self.logger = logger
    pendingDirectory = directory + "/pending"
    try Files.makeDirectories(pendingDirectory)
    durability = try BackgroundSync(logger: logger)
    for folder in [directory, pendingDirectory] {
      for name in try Files.list(folder) where name.hasSuffix(".json.tmp") { try? Files.remove("\(folder)/\(name)") }
    }
    for id in try Self.ids(in: directory) { note(read(id, in: directory)) }
    for id in try Self.ids(in: pendingDirectory) {
      let record = read(id, in: pendingDirectory)
      index.withLock { $0.pending[id] = PendingDetach(sandboxID: id, attempts: record.failures, lastError: record.lastError) }
    }
  }

  func close() { durability.close() }

  var attachments: [String] { index.withLock { $0.attached.keys.sorted() } }
  var pending: [PendingDetach] { index.withLock { $0.pending.values.sorted { $0.sandboxID < $1.sandboxID } } }

  /// Nil while not attached.
  func addresses(_ id: String) -> [String]? { index.withLock { $0.attached[id] ?? nil } }

  func record(_ id: String) -> AttachmentRecord? {
    index.withLock { $0.attached[id] != nil } ? read(id, in: directory) : nil
  }

  func pendingRecord(_ id: String) -> AttachmentRecord? {
    index.withLock { $0.pending[id] != nil } ? read(id, in: pendingDirectory) : nil
  }

  func save(_ record: AttachmentRecord) throws(SystemError) {
    try write(record, in: directory)
    note(record)
  }

  func remove(_ id: String) {
    unlink(id, in: directory)
    index.withLock { _ = $0.attached.removeValue(forKey: id) }
  }

  /// Takes an attachment over into the queue of failed detaches, or notes another failure of one that is there.
  func postpone(_ record: AttachmentRecord) {
    let id = record.target.containerID
    do {
      try write(record, in: pendingDirectory)
      unlink(id, in: directory)
    } catch {
      // Its old file is still there and is found again after a restart.
      logger.error("failed detach is not recorded", metadata: ["sandbox": "\(id)", "error": "\(error)"])
    }
    index.withLock { index in
      index.attached[id] = nil
      index.pending[id] = PendingDetach(sandboxID: id, attempts: record.failures, lastError: record.lastError)
    }
  }

  func removePending(_ id: String) {
    unlink(id, in: pendingDirectory)
    index.withLock { _ = $0.pending.removeValue(forKey: id) }
  }

  private func note(_ record: AttachmentRecord) {
    let addresses = record.result == nil ? nil : record.addresses
    index.withLock { $0.attached[record.target.containerID] = .some(addresses) }
  }

  private func write(_ record: AttachmentRecord, in directory: String) throws(SystemError) {
    let path = "\(directory)/\(record.target.containerID).json"
    try Files.replace(path, with: record.json.bytes, durable: false)
    durability.written(path)
  }

  private func unlink(_ id: String, in directory: String) {
    do {
      try Files.remove("\(directory)/\(id).json")
      durability.changedNames(in: directory)
    } catch {
      logger.warning("attachment record stays", metadata: ["sandbox": "\(id)", "error": "\(error)"])
    }
  }

  private func read(_ id: String, in directory: String) -> AttachmentRecord {
    let path = "\(directory)/\(id).json"
    do {
      let json = try JSON(parsing: try Files.read(path, limit: 4 << 20))
      if let record = AttachmentRecord(json), record.target.containerID == id { return record }
      throw Fault(.dataLoss, "not an attachment record")
    } catch {
      logger.error("attachment record is damaged", metadata: ["path": "\(path)", "error": "\(error)"])
      return AttachmentRecord(unreadable: id)
    }
  }

  private static func ids(in directory: String) throws(SystemError) -> [String] {
    try Files.list(directory).filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.filter(Names.isValid)
  }
}
