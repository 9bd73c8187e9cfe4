import CRIAPI
import Linux
import Support
import Testing

extension Node {
  /// What berthd has open, its directories but for images, and the addresses that pods have.
  func belongings() throws -> Set<String> {
    let kept = try [state, root + "/snapshots", root + "/cni", scratch + "/ipam"].flatMap { try entries(below: $0, depth: 3) }
    return Set(kept).union(try openDescriptors())
  }

  private func entries(below directory: String, depth: Int) throws -> [String] {
    guard depth > 0, let names = try? Files.list(directory) else { return [] }
    return try names.flatMap { name in try ["\(directory)/\(name)"] + entries(below: "\(directory)/\(name)", depth: depth - 1) }
  }

  /// By what they are open on and how often. Event loops make their own when first needed and keep them.
  private func openDescriptors() throws -> [String] {
    let directory = "/proc/\(try processID())/fd"
    var counts: [String: Int] = [:]
    return try Files.list(directory).compactMap { try? Files.readLink("\(directory)/\($0)") }
      .map { $0.hasPrefix("socket:") ? "socket" : $0 }
      .filter { target in !["[eventpoll]", "[eventfd]", "[timerfd]"].contains { target.hasSuffix($0) } }
      .map { target in
        counts[target, default: 0] += 1
        return "\(target) open \(counts[target] ?? 0) times"
      }
  }

  /// Once the pods are gone all that came with them is, but for what goes in its own time.
  func expectNothingMore(than before: Set<String>) async throws {
    for pod in try await pods() { try await remove(pod: pod.id) }
    var more: Set<String> = []
    _ = try? await eventually("nothing is left", within: 40) {
      more = try belongings().subtracting(before)
      return more.isEmpty ? true : nil
    }
    #expect(more.sorted() == [])
  }
}
