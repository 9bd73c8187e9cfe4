import CRIAPI
import Core
import Spec
import SwiftProtobuf
import Testing

@testable import Engine

@Suite struct WorkloadTests {
  private func settings() throws -> EngineSettings {
    var standard = Workload.Resources()
    (standard.cpushares, standard.cpuset) = (100, "0-1")
    var settings = EngineSettings(state: "/s", runtimes: [:], node: NodeFacts())
    settings.workloads = [
      Workload(
        name: "management", activation: "example/management", prefix: "resources.example",
        allowed: try AllowedAnnotations(["shm-size.crio.io"]),
        standard: standard)
    ]
    return settings
  }

  private func pod(_ annotations: [String: String]) -> Runtime_V1_PodSandboxConfig { .with { $0.annotations = annotations } }

  private func limits(_ annotations: [String: String], period: Int64 = 20_000) throws -> Runtime_V1_LinuxContainerResources {
    let config = Runtime_V1_ContainerConfig.with {
      $0.metadata.name = "main"
      $0.linux.resources = .with { ($0.cpuShares, $0.cpuQuota, $0.cpuPeriod, $0.memoryLimitInBytes) = (2048, 5000, period, 77) }
    }
    return try settings().withWorkload(config, in: pod(annotations)).linux.resources
  }

  @Test func `a pod of a workload has its limits, and only that`() throws {
    #expect(try limits([:]).cpuShares == 2048)
    let limits = try limits(["example/management": ""])
    #expect(limits.cpuShares == 100 && limits.cpusetCpus == "0-1")
    #expect(limits.cpuQuota == 5000 && limits.memoryLimitInBytes == 77)
  }

  @Test func `a container's own limits come over those of all`() throws {
    let own = try limits(["example/management": "x", "resources.example/main": #"{"cpushares": 7, "cpulimit": 500}"#])
    #expect(own.cpuShares == 7 && own.cpuQuota == 10_000 && own.cpuPeriod == 20_000 && own.cpusetCpus == "0-1")
    #expect(try limits(["example/management": "x", "resources.example/other": #"{"cpushares": 7}"#]).cpuShares == 100)
    #expect(try limits(["resources.example/main": #"{"cpushares": 7}"#]).cpuShares == 2048)
  }

  @Test func `quota and period may be said instead, and a limit below what the kernel takes is the least it takes`() throws {
    let said = try limits(["example/management": "", "resources.example/main": #"{"cpuquota": 7000, "cpuperiod": 50000}"#])
    #expect(said.cpuQuota == 7000 && said.cpuPeriod == 50_000)
    let small = try limits(["example/management": "", "resources.example/main": #"{"cpulimit": 5}"#], period: 0)
    #expect(small.cpuQuota == 1000 && small.cpuPeriod == 100_000)
  }

  @Test func `a period that no kernel takes is left to who refuses it`() throws {
    let annotations = ["example/management": "", "resources.example/main": #"{"cpulimit": 16000000}"#]
    #expect(try limits(annotations, period: .max).cpuPeriod == .max)
  }

  @Test(arguments: ["", "[]", "{", #"{"cpushares": -1}"#, #"{"cpuset": "a-b"}"#, #"{"cpushares": "7"}"#, #"{"cpulimit": 99999999999}"#])
  func `limits that are none are an error that names the annotation`(_ text: String) throws {
    let error = try #require(throws: Fault.self) { try limits(["example/management": "", "resources.example/main": text]) }
    #expect(error.code == .invalidArgument && error.message.contains("resources.example/main"), "\(error)")
  }

  @Test func `what a workload allows its pods may use, besides what their handler does`() throws {
    let settings = try settings()
    #expect(settings.allowed(pod([:]), handler: "").refused(["shm-size.crio.io": "1m"]) == ["shm-size.crio.io"])
    #expect(settings.allowed(pod(["example/management": ""]), handler: "").refused(["shm-size.crio.io": "1m"]) == [])
  }
}
