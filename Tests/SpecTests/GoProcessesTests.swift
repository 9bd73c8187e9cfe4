import CRIAPI
import OCI
import Testing

@testable import Spec

@Suite struct GoProcessesTests {
  private func value(_ change: (inout SpecInputs) -> Void = { _ in }) throws -> String? {
    try SpecFixture.build {
      $0.node.defaults.goProcesses = 4
      $0.sandbox.linux.cgroupParent = "/kubepods/burstable/pod1"
      change(&$0)
    }.process.env.first { $0.hasPrefix("GOMAXPROCS=") }
  }

  @Test func `Go programs get two threads for each processor that the container asks for, and no fewer than the node says`() throws {
    #expect(try value() == "GOMAXPROCS=4")
    #expect(try value { $0.container.linux.resources.cpuShares = 2 } == "GOMAXPROCS=4")
    #expect(try value { $0.container.linux.resources.cpuShares = 2049 } == "GOMAXPROCS=5")
    #expect(try value { $0.container.linux.resources.cpuShares = 8193 } == "GOMAXPROCS=17")
    #expect(try value { $0.container.linux.resources.cpuShares = 262_144 } == "GOMAXPROCS=512")
    #expect(try value { $0.sandbox.linux.cgroupParent = "kubepods-besteffort-pod1.slice" } == "GOMAXPROCS=4")
  }

  @Test func `they are left alone where something else says better`() throws {
    #expect(try value { $0.node.defaults.goProcesses = 0 } == nil)
    #expect(try value { $0.container.linux.resources.cpuQuota = 50_000 } == nil)
    #expect(try value { $0.sandbox.linux.cgroupParent = "/kubepods/pod1" } == nil)
    #expect(try value { $0.sandbox.annotations = ["skip-gomaxprocs.crio.io": "true"] } == nil)
    #expect(try value { $0.image.config.env = ["GOMAXPROCS=2"] } == "GOMAXPROCS=2")
    #expect(try value { $0.setEnvironment(["GOMAXPROCS": "3"]) } == "GOMAXPROCS=3")
  }

  @Test func `an exec keeps to the processor that it is given`() throws {
    #expect(try SpecFixture.build { $0.execProcessor = 1 }.process.execCPUAffinity == .init("1"))
    #expect(try SpecFixture.build().process.execCPUAffinity == nil)
  }
}
