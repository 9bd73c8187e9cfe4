import CRIAPI
import Core
import Linux
import OCI

/// The hooks that the node's operator has for containers (`hooks_dir`), read anew for every container: a few small files.
struct HookDirectories {
  private static let limit = 1 << 20

  private let directories: [String]

  /// - Parameter directories: a later one's file is taken instead of an earlier one's of the same name. One that is missing has none.
  init(_ directories: [String]) { self.directories = directories }

  /// By the files' names, whatever their case. FAILED_PRECONDITION names a file that cannot be used, and what of it: left out, a container might
  /// run without what watches over it.
  func read() throws(Fault) -> [HookFile] {
    var paths: [String: String] = [:]
    for directory in directories {
      for name in try names(in: directory) { paths[name] = "\(directory)/\(name)" }
    }
    var hooks: [HookFile] = []
    for (_, path) in paths.sorted(by: { ($0.key.lowercased(), $0.key) < ($1.key.lowercased(), $1.key) }) { hooks.append(try read(path)) }
    return hooks
  }

  private func names(in directory: String) throws(Fault) -> [String] {
    guard Files.exists(directory) else { return [] }
    return try stage("hooks_dir") { try Files.list(directory).filter { $0.hasSuffix(".json") && !$0.hasPrefix(".") } }
  }

  private func read(_ path: String) throws(Fault) -> HookFile {
    do { return try HookFile.parse(try Files.read(path, limit: Self.limit)) } catch {
      let reason = (error as? DocumentError)?.reason ?? "\(error)"
      throw Fault(.failedPrecondition, "hook \(path): \(reason)")
    }
  }
}

extension SpecInputs {
  /// Adds the hooks whose conditions hold, behind those that are there. Annotations are those of Kubernetes, the pod's and the container's; bind
  /// mounts those that the CRI names, not what every container has.
  func addHooks(to spec: inout RuntimeSpec) throws(Fault) {
    if node.hookDirectories.isEmpty { return }
    let annotations = sandbox.annotations.merging(container.annotations) { $1 }
    let facts = (annotations, spec.process.args[0], !container.mounts.isEmpty)
    for file in try HookDirectories(node.hookDirectories).read() {
      if file.when.hold(for: facts) { for stage in file.stages { spec.hooks.add(file.hook, at: stage) } }
    }
  }
}
