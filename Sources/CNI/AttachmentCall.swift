import Core

/// ADD of one of a pod's networks.
struct AttachmentCall: Sendable {
  let chain: Chain
  let record: AttachmentRecord
  let deadline: ContinuousClock.Instant

  func run() async throws(Fault) -> JSON { try await chain.add(record, until: deadline) }

  /// Side by side. Throws the first failure in their order, when none is at work any more; the results of all but the first are in the record.
  static func atOnce(_ calls: [AttachmentCall], _ record: inout AttachmentRecord) async throws(Fault) -> JSON {
    let results = await withTaskGroup(of: (Int, Result<JSON, Fault>).self) { group in
      for (index, call) in calls.enumerated() {
        group.addTask { () -> (Int, Result<JSON, Fault>) in
          do throws(Fault) { return (index, .success(try await call.run())) } catch { return (index, .failure(error)) }
        }
      }
      return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
    for index in calls.indices.dropFirst() {
      if case .success(let result) = results[index] { record.additional[index - 1].result = result }
    }
    var values: [JSON] = []
    for index in calls.indices { if let result = results[index] { values.append(try result.get()) } }
    return values[0]
  }
}
