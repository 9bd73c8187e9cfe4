import CRIAPI
import Core
import Linux
import OCI
import SwiftProtobuf
import Testing

@testable import Engine

@Suite struct UsageTests {
  @Test func `a rate is an average since the latest sample that is old enough`() {
    var history = CPUHistory(start: 0)
    let second: Int64 = 1_000_000_000
    #expect(history.nanoCores(at: .init(at: 2 * second, time: 1_000_000_000)) == 500_000_000)
    history.add(.init(at: 10 * second, time: 1_000_000_000))
    #expect(history.nanoCores(at: .init(at: 11 * second, time: 3_000_000_000)) == 2_000_000_000)
    // 100 ms after the sample: since the one before.
    #expect(history.nanoCores(at: .init(at: 10 * second + 100_000_000, time: 1_010_000_000)) == 100_000_000)
    history.add(.init(at: 10 * second + 1, time: 9))
    #expect(history.nanoCores(at: .init(at: 12 * second, time: 1_000_000_000)) == 0)
    #expect(CPUHistory().nanoCores(at: .init(at: 1, time: 1)) == nil)
  }

  @Test func `an update leaves alone what it does not name`() throws {
    let old = Runtime_V1_LinuxContainerResources.with {
      $0.cpuShares = 100
      $0.cpuPeriod = 50_000
      $0.memoryLimitInBytes = 1000
      $0.memorySwapLimitInBytes = 1000
      $0.hugepageLimits = [.with { ($0.pageSize, $0.limit) = ("2MB", 1) }]
      $0.unified = ["a.b": "1"]
    }
    let asked = Runtime_V1_LinuxContainerResources.with {
      $0.cpuQuota = 10_000
      $0.memoryLimitInBytes = 2000
      $0.hugepageLimits = [.with { ($0.pageSize, $0.limit) = ("1GB", 2) }]
      $0.unified = ["c.d": "2"]
    }
    let update = try ResourceUpdate(asked, over: old)
    #expect(update.result.cpuShares == 100 && update.result.cpuQuota == 10_000 && update.result.cpuPeriod == 50_000)
    // It could not swap before, and still cannot.
    #expect(update.result.memoryLimitInBytes == 2000 && update.result.memorySwapLimitInBytes == 2000)
    #expect(update.result.hugepageLimits.map(\.pageSize) == ["2MB", "1GB"] && update.result.unified == ["a.b": "1", "c.d": "2"])
    let limits = update.limits(countsSwap: true)
    #expect(limits.cpuShares == nil && limits.cpuQuota == .init(quota: 10_000, period: 50_000) && limits.memoryAndSwap == 2000)
    #expect(update.limits(countsSwap: false).memoryAndSwap == nil)
    #expect(update.told.unified == update.result.unified && update.told.memorySwapLimitInBytes == 2000 && update.told.cpuShares == 0)
    let byFile = try ResourceUpdate(.with { $0.memoryLimitInBytes = 3000 }, over: .with { $0.unified = ["memory.swap.max": "5"] })
    #expect(byFile.limits(countsSwap: true).memory == 3000 && byFile.limits(countsSwap: true).memoryAndSwap == nil)
  }

  @Test func `memory above the sum of memory and swap is refused with both figures`() {
    let old = Runtime_V1_LinuxContainerResources.with {
      $0.memoryLimitInBytes = 1000
      $0.memorySwapLimitInBytes = 1500
    }
    let fault = #expect(throws: Fault.self) { try ResourceUpdate(.with { $0.memoryLimitInBytes = 2000 }, over: old) }
    #expect(fault?.code == .invalidArgument && fault?.message.contains("1500") == true && fault?.message.contains("2000") == true)
  }

  @Test func `pinned images are told by names with stars`() throws {
    let id = try #require(Digest("sha256:" + String(repeating: "a", count: 64)))
    var image = ImageRecord(id: id, target: id, manifest: id, layers: [], size: 1, user: "")
    image.tags = ["docker.io/library/busybox:latest", "registry.k8s.io/pause:3.10"]
    for pattern in ["busybox", "registry.k8s.io/pause:*", "*pause*", "*", "\(id)", "r*k8s*:3*0"] {
      #expect(PinnedImages([pattern]).contains(image), "\(pattern)")
    }
    for pattern in ["", "pause", "*pause", "registry.k8s.io/pause:", "busybox:1", "*x*x*x*x"] {
      #expect(!PinnedImages([pattern]).contains(image), "\(pattern)")
    }
  }
}
