import CRIAPI
import Core
import Spec

/// How much a container may write beside its volumes.
enum WritableLayerSize {
  private static let annotation = ExperimentalAnnotation.writableLayerSize

  /// Bytes; nil for no limit. What an annotation says where the pod's handler allows it, at most what the node says; else that. INVALID_ARGUMENT for what is no
  /// size, or a wrong one.
  static func of(_ config: Runtime_V1_ContainerConfig, in sandbox: SandboxRecord, _ settings: EngineSettings) throws(Fault) -> Int64? {
    let most = settings.writableSizes[sandbox.runtimeHandler]
    let asked = settings.allowed(sandbox).containerValue(
      annotation, config.annotations, container: config.metadata.name, in: sandbox.config.content.annotations)
    guard let asked else { return most }
    guard let size = ByteSize.parse(asked) else { throw refusal(asked, "is no size") }
    if size < SnapshotLimit.least { throw refusal(asked, "is less than the least, \(SnapshotLimit.least) bytes") }
    if let most, size > most { throw refusal(asked, "is more than this node allows, \(most) bytes (writable_layer_size)") }
    return Int64(size)
  }

  private static func refusal(_ asked: String, _ reason: String) -> Fault {
    Fault(.invalidArgument, "\(annotation.field): \"\(asked.prefix(100))\" \(reason)")
  }
}
