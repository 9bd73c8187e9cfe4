import CRIAPI
import Core
import Linux
import Spec

/// Paths on the host that a container's config names. They are never touched by a thread of the daemon: a disposable child does it, with a
/// deadline, so that a dead NFS server stops one container and not the node.
struct HostPaths: Sendable {
  /// For all paths of one container together.
  let limit: Duration

  /// What is at each of the host paths that the config names, and at `others` that are absolute; symlinks are followed.
  func look(_ config: Runtime_V1_ContainerConfig, and others: [String]) async throws -> [String: HostPath] {
    let security = config.linux.securityContext
    let profiles = [security.seccomp.localhostRef, security.seccompProfilePath].map(SeccompRequest.path)
    let named = config.mounts.filter { !$0.isImage }.map(\.hostPath) + config.devices.map(\.hostPath)
    let paths = Set(named + (profiles + others).filter { $0.hasPrefix("/") }).sorted()
    let found = try await look(paths)
    return Dictionary(uniqueKeysWithValues: zip(paths, found))
  }

  /// That each answers, on a thread that may wait for it.
  func lookHere(_ paths: [String]) throws {
    let jobs = Set(paths.filter { $0.hasPrefix("/") }).sorted().map { HostPathJob.look($0) }
    do { _ = try HostPathChild.runHere(jobs, within: limit) } catch { throw fault(error) }
  }

  /// What is at each path below `root`, where the host's own root is mounted; absolute symlinks stay below it.
  func look(_ paths: [String], below root: String) async throws -> [HostPath] { try await run(paths.map { .lookBelow($0, root: root) }) }

  /// As ``make(_:)``; the result is where they are.
  func make(_ paths: [String], below root: String) async throws -> [HostPath] { try await run(paths.map { .makeBelow($0, root: root) }) }

  func look(_ paths: [String]) async throws -> [HostPath] { try await run(paths.map { .look($0) }) }

  /// What exists is left alone, whatever it is; what does not is made as a directory.
  func make(_ paths: [String]) async throws { _ = try await run(paths.map { .make($0) }) }

  /// Each path and all below it; with `unlessThere` only where the path itself has another label.
  func label(_ paths: [String], _ label: String, unlessThere: Bool = false) async throws {
    _ = try await run(paths.map { unlessThere ? .labelUnlessThere($0, label) : .label($0, label) })
  }

  /// The jobs of one config, each a volume that is to be seen with other owners.
  func map(_ jobs: [HostPathJob], as maps: IDMaps) async throws {
    let namespace = try await BlockingWork.run { try maps.makeNamespace().release() }
    _ = try await run(jobs, FileHandle(owning: namespace))
  }

  private func run(_ jobs: [HostPathJob], _ namespace: consuming FileHandle? = nil) async throws -> [HostPath] {
    do { return try await HostPathChild.run(jobs, userNamespace: namespace, within: limit) } catch { throw fault(error) }
  }

  private func fault(_ error: any Error) -> any Error {
    switch error {
    case let timeout as HostPathTimeout:
      Fault(.deadlineExceeded, "host path \(timeout.path): did not answer within \(limit.components.seconds) s")
    case let failure as SystemError: Fault(.failedPrecondition, "host path \(failure.object): \(failure)", cause: failure)
    default: error
    }
  }
}
