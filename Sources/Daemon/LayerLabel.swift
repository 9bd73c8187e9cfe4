import Core
import Linux
import Logging
import Settings
import Spec

/// On a node with SELinux, the label that its policy has for layers of images: containers read, map and run their files through the overlay.
enum LayerLabel {
  /// Millions of files, once: where SELinux was turned on after images had come.
  private static let limit = Duration.seconds(3600)

  /// What is unpacked later has its directory's type.
  static func apply(_ settings: Configuration, logger: Logger) async throws {
    guard case .enforced(let contexts) = try settings.containers.selinuxMode(hasSELinux: NodeFacts.kernelHasSELinux) else { return }
    let directory = LayerLayout.directory(settings.root)
    let started = SystemClock.monotonicNanoseconds()
    _ = try await HostPathChild.run([.labelUnlessThere(directory, "\(contexts.layer)")], within: limit)
    let milliseconds = (SystemClock.monotonicNanoseconds() - started) / 1_000_000
    logger.info("layers have their label", metadata: ["label": "\(contexts.layer)", "directory": "\(directory)", "ms": "\(milliseconds)"])
  }
}
