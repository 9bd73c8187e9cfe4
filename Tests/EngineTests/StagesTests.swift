import Core
import Linux
import Testing

@testable import Engine

@Suite struct StagesTests {
  @Test func `stages are seen while they run, as stalled after their time, and are timed when they end`() async throws {
    let metrics = Metrics()
    let stages = Stages(metrics)
    await stages.pod(.run, "runc") {
      await stages.pod(.network, "runc") {
        #expect(stages.running().map(\.labels) == [["pod", "network"], ["pod", "run"]])
        #expect(stages.running().map(\.value) == [1, 1])
        let now = SystemClock.monotonicNanoseconds()
        #expect(stages.stalled(at: now).map(\.value) == [0, 0])
        #expect(stages.stalled(at: now + Stages.patience).map(\.value) == [1, 1])
        await stages.container(.stop, "runc", expected: 30) {
          #expect(stages.stalled(at: now + 3 * Stages.patience).map(\.value) == [0, 1, 1])
          #expect(stages.stalled(at: now + 5 * Stages.patience).map(\.value) == [1, 1, 1])
        }
        await stages.container(.stop, "runc", expected: .max) {
          #expect(stages.stalled(at: now + 5 * Stages.patience).map(\.value) == [0, 1, 1])
        }
      }
      await #expect(throws: Fault.self) {
        try await stages.container(.start, "crun") { throw Fault(.internal, "no") }
      }
      #expect(stages.running().map(\.labels) == [["pod", "run"]])
    }
    #expect(stages.running().isEmpty)
    let told = await metrics.collect()
    #expect(told.map(\.measure.name) == ["berth_container_stage_seconds", "berth_pod_stage_seconds"])
    #expect(told.flatMap(\.samples).map(\.labels) == [["start", "crun"], ["stop", "runc"], ["network", "runc"], ["run", "runc"]])
    #expect(told.flatMap(\.samples).map(\.count) == [1, 2, 1, 1])
  }
}

@Suite struct LogTotalsTests {
  private func state(_ id: String, _ bytes: UInt64) -> TaskState {
    var state = TaskState(id: id, pid: 1, phase: .running, startedAt: 1)
    (state.log.inputBytes, state.log.records) = (bytes, bytes / 10)
    return state
  }

  @Test func `what was said before the daemon began does not count, nor anything twice, and answers may overtake each other`() {
    let totals = LogTotals()
    totals.note([state("old", 1000)], isNew: false)
    totals.note([state("old", 1100), state("new", 50)])
    #expect(totals.total.inputBytes == 150 && totals.total.records == 15)
    totals.note([state("old", 1050), state("new", 70)])
    #expect(totals.total.inputBytes == 170)
    totals.forget("new")
    totals.note([state("old", 1200)])
    #expect(totals.total.inputBytes == 270 && totals.total.lost == 0)
  }
}
