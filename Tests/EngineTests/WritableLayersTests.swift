import CRIAPI
import Core
import Linux
import Logging
import OCI
import Support
import Testing

@testable import Engine

@Suite struct WritableLayersTests {
  /// Knows what every snapshot occupies, and how often it was asked.
  private final class Snapshots: Snapshotter {
    func prepare(_ key: String, above layers: [LayerID], limit: Int64?) -> RootfsMount { mount(key, above: layers) }
    func mount(_ key: String, above layers: [LayerID]) -> RootfsMount { RootfsMount(lower: [], upper: nil, work: nil) }
    func usage(_ key: String) -> DiskUsage { DiskUsage(bytes: 4096, inodes: 1) }
    func overhead() -> DiskUsage { DiskUsage() }
    func remove(_ key: String) {}
    func list() -> [String] { [] }
  }

  @Test(arguments: [1, 60]) func `a running container's layer is walked again after the period that was asked for`(_ seconds: Int)
    async throws
  {
    let ledger = Ledger(store: MemoryRecords(), events: EventHub(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let image = try #require(Digest("sha256:" + String(repeating: "a", count: 64)))
    let plan = ContainerPlan(
      id: "c", bundle: "/b", rootfs: RootfsMount(lower: [], upper: nil, work: nil), runtime: "runc", runtimeRoot: "/r")
    var record = ContainerRecord(
      id: "c", sandboxID: "s", config: .init(), image: (image, "\(image)"), volumeImages: [:], layers: [], plan: plan,
      user: ContainerUser(uid: 0, gid: 0, supplementalGroups: []), stopSignal: 15, createdAt: 1)
    record.state = .running
    try ledger.put(record)
    let layers = WritableLayers(ledger: ledger, snapshots: Snapshots(), period: .seconds(seconds))
    let wait = try #require(await layers.measureDue())
    #expect(layers.usage("c")?.usage == DiskUsage(bytes: 4096, inodes: 1))
    let period = Int64(seconds) * 1_000_000_000
    // A walk takes a moment, and what is left of the period is told.
    #expect(wait <= period && wait > 0 && (seconds == 1 || wait > period / 2))
  }
}
