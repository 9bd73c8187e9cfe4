import Core
import Linux
import Spec

/// The blocked system calls of a container, in its bundle: made here, counted in by the process that answers for its filter (shim_notifier.h).
package struct BlockedCalls: Sendable {
  /// `struct shim_blocked_call`: architecture, number, answer, four bytes of nothing, count.
  private static let size = 24

  let bundle: String

  package init(bundle: String) { self.bundle = bundle }

  private var path: String { bundle + "/seccomp.calls" }

  func write(_ calls: [SeccompNotifier.Call]) throws {
    var bytes = [UInt8](repeating: 0, count: calls.count * Self.size)
    bytes.withUnsafeMutableBytes { buffer in
      for (index, call) in calls.enumerated() {
        let words = [call.architecture, call.number, call.answer.word]
        for (place, word) in words.enumerated() {
          buffer.storeBytes(of: word, toByteOffset: index * Self.size + place * 4, as: UInt32.self)
        }
      }
    }
    try Files.write(bytes, to: path)
  }

  /// How often each was tried, by its name; those that never were are left out. None where the bundle is gone.
  package func counts() -> [String: UInt64] {
    let bytes = (try? Files.read(path)) ?? []
    return bytes.withUnsafeBytes { buffer in
      var counts: [String: UInt64] = [:]
      for start in stride(from: 0, through: buffer.count - Self.size, by: Self.size) {
        let count = buffer.loadUnaligned(fromByteOffset: start + 16, as: UInt64.self)
        if count == 0 { continue }
        let (architecture, number) = buffer.loadUnaligned(fromByteOffset: start, as: (UInt32, UInt32).self)
        counts[SeccompNotifier.name(architecture: architecture, number: number), default: 0] += count
      }
      return counts
    }
  }

  /// `swapoff (2x), unshare (1x)`
  package static func describe(_ counts: [String: UInt64]) -> String {
    counts.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value)x)" }.joined(separator: ", ")
  }
}

extension SeccompNotifier.Call.Answer {
  fileprivate var word: UInt32 {
    switch self {
    case .errno(let number): number
    case .kill: 0
    }
  }
}

/// A short way to a container's bundle: paths of sockets end after 107 bytes.
struct SeccompLink {
  private static let nameLength = 16

  let state: String
  let container: String

  private static func directory(_ state: String) -> String { state + "/seccomp" }

  private var name: String { String(container.prefix(Self.nameLength)) }

  /// Where the OCI runtime finds whom it hands the filter's listener to.
  var socket: String { "\(Self.directory(state))/\(name)/seccomp.sock" }

  func make(to bundle: String) throws {
    try Files.makeDirectories(Self.directory(state))
    try Directory.open(Self.directory(state)).makeSymlink(RawName(name), to: RawName(bundle))
  }

  func remove() throws { try Files.remove("\(Self.directory(state))/\(name)") }

  /// Names of links that belong to none of these.
  static func leftovers(in state: String, beside containers: Set<String>) -> [String] {
    let names = Set(containers.map { SeccompLink(state: state, container: $0).name })
    return ((try? Files.list(directory(state))) ?? []).filter { !names.contains($0) }
  }
}
