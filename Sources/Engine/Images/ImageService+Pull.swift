package import Core
import Linux
import Logging
import OCI
import Synchronization

extension ImageService {
  /// Makes the image complete on this node and names it so. The same pull with the same credentials joins; it goes on when its caller leaves.
  package func pull(_ name: String, credentials: RegistryCredentials?, progress: PullProgress = PullProgress()) async throws -> ImageRecord
  {
    let reference: ImageReference
    do { reference = try ImageReference(parsing: name) } catch { throw Fault(.invalidArgument, "image \"\(name.prefix(300))\": \(error)") }
    let key = PullKey(reference: reference, credentials: credentials)
    let leader = leaders.withLock { leaders in
      leaders[key] = leaders[key] ?? progress
      return leaders[key] ?? progress
    }
    progress.follow(leader)
    return try await pulls.join(key) { [self] in
      progress.follow(progress)
      defer { leaders.withLock { _ = $0.removeValue(forKey: key) } }
      return try await fetch(reference, from: registry, credentials, progress)
    }
  }

  /// The whole way of one image from any source of manifests and blobs.
  func fetch(
    _ reference: ImageReference, from source: any RegistrySource, _ credentials: RegistryCredentials?, _ progress: PullProgress
  ) async throws -> ImageRecord {
    let started = SystemClock.monotonicNanoseconds()
    Span.current?.set(["container.image.name": "\(reference)"])
    let record = try await stage("image \(reference)") {
      try await garbage.holding {
        let pull = ImagePull(service: self, source: source, reference: reference, credentials: credentials, progress: progress)
        return try await finishing(reference) {
          try await running.during("\(reference)", progress) { try await pull.run() }
        }
      }
    }
    Span.current?.set(["container.image.id": "\(record.id)", "oci.manifest.digest": "\(record.manifest)"])
    let milliseconds = (SystemClock.monotonicNanoseconds() - started) / 1_000_000
    logger.info(
      "image pulled",
      metadata: [
        "image": "\(reference)", "id": "\(record.id)", "layers": "\(progress.summary)", "ms": "\(milliseconds)",
      ])
    return record
  }

  /// The lease that a pull takes ends with it, unless another try may go on where it ended.
  private func finishing(_ reference: ImageReference, _ body: () async throws -> ImageRecord) async throws -> ImageRecord {
    do {
      let record = try await body()
      await leases.drop(reference)
      return record
    } catch {
      if !PullLeases.isWorthKeeping(after: error) { await leases.drop(reference) }
      garbage.request()
      throw error
    }
  }
}
