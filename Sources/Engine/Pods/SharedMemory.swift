import CRIAPI
import Core
import Spec

/// Size of a pod's /dev/shm.
enum SharedMemory {
  static let standard = 64 << 20

  /// What the pod's annotation says where its handler allows that, else the node's. INVALID_ARGUMENT for what is no size.
  static func size(_ request: SandboxRequest, _ settings: EngineSettings) throws(Fault) -> Int {
    let allowed = settings.allowed(request.config, handler: request.runtimeHandler)
    guard let asked = allowed.podValue(.shmSize, in: request.config.annotations) else { return settings.podDefaults.shmSize }
    guard let size = ByteSize.parse(asked), size > 0 else {
      throw Fault(.invalidArgument, "annotation \(ExperimentalAnnotation.shmSize.rawValue): \"\(asked.prefix(100))\" is no size")
    }
    return size
  }
}
