import Core
import Logging
import Settings
import Snapshots

/// How much containers may write, by runtime handler; those without a limit are left out.
extension Configuration {
  var writableSizes: [String: Int64] {
    var sizes = runtimes.handlers.compactMapValues { handler in
      (handler.writableSize ?? snapshots.writableSize).flatMap { $0 == 0 ? nil : Int64($0) }
    }
    sizes[""] = sizes[runtimes.standard]
    return sizes
  }

  /// FAILED_PRECONDITION where a limit could not be kept.
  func checkLimits(_ overlay: OverlaySnapshots, standardIsNative: Bool) throws(Fault) {
    if let problem = overlay.limitProblem {
      if snapshots.limitMethod != "auto" {
        throw Fault(.failedPrecondition, "writable_layer_backend = \"\(snapshots.limitMethod)\": \(problem)")
      }
      if !writableSizes.isEmpty { throw Fault(.failedPrecondition, "writable_layer_size: \(problem)") }
    }
    for name in writableSizes.keys.sorted() where !name.isEmpty {
      let isNative = runtimes.handlers[name]?.snapshotter.map { $0 == "native" } ?? standardIsNative
      if isNative {
        throw Fault(.failedPrecondition, "writable_layer_size: needs overlay snapshots, and pods of runtimes.\(name) have native ones")
      }
    }
  }

  /// So that no container has to wait for what its limit needs.
  func makeLimitsReady(_ overlay: OverlaySnapshots, _ logger: Logger) {
    let sizes = Set(writableSizes.values)
    Task.detached {
      for size in sizes {
        do { try await overlay.makeReady(for: size) } catch { logger.warning("writable layers of \(size) bytes: \(Fault(error))") }
      }
    }
  }
}
