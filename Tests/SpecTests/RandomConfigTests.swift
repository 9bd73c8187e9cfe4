import CRIAPI
import Core
import Linux
import Spec
import Support
import SwiftProtobuf
import Testing

struct RandomConfigTests {
  /// A spec, or a fault that says what is wrong with a code that is the client's to mend; never a trap.
  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func anyConfigMakesASpecOrAFault(_ seed: UInt64) throws {
    var mutation = WireMutation(seed: seed, texts: FullConfigs.texts)
    let container = try FullConfigs.container(scratch: "/data", image: "busybox").serializedBytes() as [UInt8]
    let sandbox = try FullConfigs.sandbox(scratch: "/data", cgroup: "/pods").serializedBytes() as [UInt8]
    let allowed: [Fault.Code] = [.invalidArgument, .failedPrecondition, .notFound, .unimplemented]
    for _ in 0..<150 {
      guard let config = try? Runtime_V1_ContainerConfig(serializedBytes: mutation.mutate(container, changes: 2)),
        let pod = try? Runtime_V1_PodSandboxConfig(serializedBytes: mutation.mutate(sandbox, changes: 1))
      else { continue }
      let inputs = SpecFixture.inputs {
        $0.container = config
        $0.sandbox = pod
        $0.prepared.images = [0: "/i", 1: "/i", 2: "/i", 3: "/i"]
        $0.lookups.devices = { path in
          if path == "/dev/zero" { return [DeviceNode(path: path, kind: .character, major: 1, minor: 5, mode: 0o666)] }
          throw SystemError(2, call: "stat", object: path)
        }
        $0.prepared.mapped = [0: "/m", 1: "/m", 2: "/m", 3: "/m"]
      }
      do throws(Fault) { _ = try makeSpec(inputs) } catch {
        #expect(allowed.contains(error.code) && error.message.count < 3000, "seed \(seed): \(error.code): \(error.message.prefix(500))")
      }
    }
  }
}
