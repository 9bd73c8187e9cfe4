import Core
import Linux

/// How writable layers are kept to a size.
package enum LimitMethod: String, Sendable, CaseIterable {
  /// Project quotas of the root's filesystem, otherwise blocks.
  case auto
  /// Project quotas: nothing to make and nothing to mount, and what is in use is known without looking.
  case quota
  /// A filesystem in a sparse file for each, on any filesystem.
  case block
}

/// Keeps writable layers to a size, by what this node has. What was limited in another way before stays so, and is removed by what it is.
struct WritableLimits: Sendable {
  private enum Means {
    case quota
    case block
    case none(String)
  }

  private let snapshots: String
  private let means: Means
  let blocks: SparseBlocks

  init(_ method: LimitMethod, snapshots: String) throws {
    self.snapshots = snapshots
    blocks = try SparseBlocks(snapshots: snapshots)
    means = Self.means(method, Projects.problem(snapshots), SparseBlocks.problem)
  }

  private static func means(_ method: LimitMethod, _ quota: String?, _ block: String?) -> Means {
    if method != .block, quota == nil { return .quota }
    if method != .quota, block == nil { return .block }
    return .none([method == .block ? nil : quota, method == .quota ? nil : block].compactMap { $0 }.joined(separator: "; "))
  }

  /// Why nothing can be limited on this node.
  var problem: String? { if case .none(let problem) = means { problem } else { nil } }

  func makeReady(for limit: Int64) async throws { if case .block = means { try await blocks.makeReady(for: limit) } }

  /// - Parameter key: of a directory that is there and empty.
  func limit(_ key: String, to bytes: Int64) async throws {
    switch means {
    case .quota: try Projects.limit("\(snapshots)/\(key)", to: bytes)
    case .block: try await blocks.mount(key, limit: bytes)
    case .none(let problem): throw Fault(.failedPrecondition, "its size cannot be limited: \(problem)")
    }
  }

  /// Everything in a limited snapshot, without a look at its files; nil where it has no limit.
  func usage(_ key: String) throws -> DiskUsage? { try blocks.isOne(key) ? blocks.usage(key) : Projects.usage("\(snapshots)/\(key)") }
}
