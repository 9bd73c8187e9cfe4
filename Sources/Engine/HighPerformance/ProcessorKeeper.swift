import Core
import FoundationEssentials
package import Linux
package import Logging
import Synchronization

/// Gives processors the settings that containers want of them, and puts back what was there when these end. What is to be put back is in files of the
/// state directory: a reboot makes both worthless, and a daemon that was killed goes on where it was.
package final class ProcessorKeeper: Sendable {
  /// On record until the container has ended.
  private struct Record: Codable {
    let tuning: ProcessorTuning
    /// The container's cgroup.
    let group: String
  }

  private let directory: String
  private let files: ProcessorFiles
  private let tree: CgroupTree
  private let irqbalance: Irqbalance
  private let systemd: SystemdQuotas
  private let logger: Logger
  /// One change at a time: settings are read, changed and written.
  private let lock = Mutex(())

  /// - Parameters:
  ///   - state: the daemon's directory on tmpfs.
  ///   - irqbalance: its environment file.
  package convenience init(state: String, cgroups: CgroupTree, irqbalance: String, logger: Logger) {
    self.init(
      directory: state + "/processors", files: ProcessorFiles(), tree: cgroups, irqbalance: Irqbalance(configuration: irqbalance),
      logger: logger)
  }

  init(
    directory: String, files: ProcessorFiles, tree: CgroupTree, irqbalance: Irqbalance, systemd: SystemdQuotas = SystemdQuotas(),
    logger: Logger
  ) {
    (self.directory, self.files, self.tree, self.logger) = (directory, files, tree, logger)
    (self.irqbalance, self.systemd) = (irqbalance, systemd)
  }

  /// Whether something is to be put back when this container ends.
  func isTuned(_ container: String) -> Bool { Files.exists(record(container)) }

  /// For a container that is created and not started yet. FAILED_PRECONDITION where this node cannot do it: then all is as before.
  func apply(_ tuning: ProcessorTuning, to container: String, _ group: String) async throws {
    let groups = ProcessorGroups(tree: tree, group: group)
    let (mask, quotas) = try await BlockingWork.run { [self] in
      try lock.withLock { _ in
        try Files.makeDirectories(directory)
        try Files.write(Array(try JSONEncoder().encode(Record(tuning: tuning, group: group))), to: record(container))
        var mask: ProcessorMask?
        do {
          mask = try change(tuning)
          let quotas = try groups.apply(tuning)
          note(mask)
          return (mask, quotas)
        } catch {
          // Interrupts are the last that is changed.
          putBack(tuning, container, group, interrupts: mask != nil)
          throw Fault(.failedPrecondition, Fault(error).message, cause: error)
        }
      }
    }
    if let mask { await irqbalance.heed(mask.complement, logger) }
    do { try await systemd.tell(of: quotas, in: groups) } catch {
      await restore(container)
      throw error
    }
  }

  /// Once its container has ended; nothing to do where it has no settings.
  func restore(_ container: String) async {
    let mask = await BlockingWork.run { [self] in
      lock.withLock { _ -> ProcessorMask? in
        guard let bytes = try? Files.read(record(container)), let known = try? JSONDecoder().decode(Record.self, from: Data(bytes)) else {
          return nil
        }
        let mask = putBack(known.tuning, container, known.group, interrupts: true)
        note(mask)
        return mask
      }
    }
    if let mask { await irqbalance.heed(mask.complement, logger) }
  }

  /// What a daemon left that was killed before it could put everything back. `live`: containers that have not ended.
  func restore(except live: Set<String>) async {
    for name in (try? Files.list(directory)) ?? [] where name.hasPrefix("container-") {
      let container = String(name.dropFirst("container-".count))
      if !live.contains(container) { await restore(container) }
    }
  }

  private func record(_ container: String) -> String { "\(directory)/container-\(container)" }

  private func original(_ setting: ProcessorFiles.Setting, _ processor: Int) -> String {
    "\(directory)/cpu\(processor)-\(setting)"
  }
}

/// The changes themselves, under the lock.
extension ProcessorKeeper {
  /// In the order of the changes: the last one written holds.
  private func note(_ mask: ProcessorMask?) {
    guard let mask else { return }
    do { try irqbalance.write(mask.complement) } catch { logger.warning("irqbalance's file is as it was: \(Fault(error))") }
  }

  /// The new mask of interrupts, where that changed.
  private func change(_ tuning: ProcessorTuning) throws -> ProcessorMask? {
    let processors = CPUSet(tuning.processors) ?? CPUSet()
    if let governor = tuning.governor {
      for processor in processors.sorted where !(try files.governors(of: processor)).contains(where: { $0 == governor }) {
        throw Fault(.failedPrecondition, "processor \(processor) has no frequency governor \"\(governor)\"")
      }
    }
    for (setting, value) in [(ProcessorFiles.Setting.latency, tuning.latency), (.governor, tuning.governor)] {
      guard let value else { continue }
      for processor in processors.sorted { try change(setting, of: processor, to: value) }
    }
    guard let interrupts = tuning.interrupts else { return nil }
    return try setInterrupts(on: processors, of: interrupts, false)
  }

  /// What was there first is kept: a container that is started again finds its own settings.
  private func change(_ setting: ProcessorFiles.Setting, of processor: Int, to value: String) throws {
    let original = original(setting, processor)
    if !Files.exists(original) { try Files.write(try files.read(setting, of: processor), to: original) }
    try files.write(value, to: setting, of: processor)
  }

  private func setInterrupts(on processors: CPUSet, of interrupts: ProcessorTuning.Interrupts, _ isOn: Bool) throws -> ProcessorMask {
    let quiet = interrupts == .housekeeping ? processors.subtracting(files.housekeeping(of: processors)) : processors
    var mask = try files.interrupts()
    mask.set(quiet, isOn)
    guard !mask.isEmpty else { throw Fault(.failedPrecondition, "no processor would be left for interrupts") }
    try files.setInterrupts(mask)
    return mask
  }

  /// Each as far as it can be had. The new mask of interrupts, where that changed.
  @discardableResult
  private func putBack(_ tuning: ProcessorTuning, _ container: String, _ group: String, interrupts isOn: Bool) -> ProcessorMask? {
    ProcessorGroups(tree: tree, group: group).restore(tuning)
    let processors = CPUSet(tuning.processors) ?? CPUSet()
    for setting in ProcessorFiles.Setting.allCases {
      for processor in processors.sorted { attempt(container) { try putBack(setting, of: processor) } }
    }
    var mask: ProcessorMask?
    if isOn, let interrupts = tuning.interrupts {
      attempt(container) { mask = try setInterrupts(on: processors, of: interrupts, true) }
    }
    attempt(container) { try Files.remove(record(container)) }
    return mask
  }

  private func putBack(_ setting: ProcessorFiles.Setting, of processor: Int) throws {
    let original = original(setting, processor)
    guard Files.exists(original) else { return }
    try files.write(String(decoding: try Files.read(original), as: UTF8.self), to: setting, of: processor)
    try Files.remove(original)
  }

  private func attempt(_ container: String, _ body: () throws -> Void) {
    do { try body() } catch { logger.error("container \(container): putting its processors' settings back: \(Fault(error))") }
  }
}
