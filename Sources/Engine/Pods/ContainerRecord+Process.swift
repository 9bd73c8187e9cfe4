import Core
import FoundationEssentials
import Linux
import OCI

extension ContainerRecord {
  /// What the container runs, from the spec in its bundle. Of that only the process is decoded: mounts and the seccomp profile are most of it.
  func process() throws -> RuntimeSpec.Process {
    struct Own: Decodable { let process: RuntimeSpec.Process }
    return try JSONDecoder().decode(Own.self, from: Data(try Files.read(plan.bundle + "/config.json"))).process
  }
}
