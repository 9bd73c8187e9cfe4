import Linux
import ShimAPI
import Support
import SwiftProtobuf
import Testing

/// The CRI log: what is in it, and that nothing is lost or split.
@Suite(.serialized) struct LogTests {
  @Test func linesAreCutAtSixteenKibibytesAndNowhereElse() async throws {
    try await TestPod.with { pod in
      let script = """
        head -c 16384 /dev/zero | tr '\\0' a; echo; head -c 16385 /dev/zero | tr '\\0' b; echo
        head -c 40000 /dev/zero | tr '\\0' c; printf '\\n\\001\\377\\n\\n'; printf end
        """
      let (id, _) = try await pod.run(.shell(script))
      let records = try pod.records(pod.bundle(id) + "/log")
      #expect(records.map(\.tag) == ["F", "P", "F", "P", "P", "F", "F", "F", "F"])
      #expect(records.map(\.content.count) == [16384, 16384, 1, 16384, 16384, 7232, 2, 0, 3])
      #expect(records[6].content == [1, 255])
      try await pod.delete(id)
    }
  }

  @Test func bothStreamsAreTaggedAndAPartOfALineIsARecordAtTheEnd() async throws {
    try await TestPod.with { pod in
      let (id, _) = try await pod.run(.shell("echo out; echo err >&2; printf part"))
      #expect(try pod.said(id) == "out\npart\n")
      #expect(try pod.said(id, "stderr") == "err\n")
      try await pod.delete(id)
    }
  }

  @Test func rotationUnderLoadLosesAndSplitsNothing() async throws {
    try await TestPod.with { pod in
      let id = try await pod.create(.shell("seq 1 200000"))
      let log = pod.bundle(id) + "/log"
      try await pod.start(id)
      var rotations = 0
      while try await pod.list().containers.first?.phase == .running, rotations < 2000 {
        try Files.move(log, to: "\(log).\(rotations)")
        rotations += 1
        try await reopen(pod, id)
      }
      _ = try await pod.wait(id)
      let numbers = try ((0..<rotations).map { "\(log).\($0)" } + [log]).flatMap { try pod.records($0) }.map {
        String(decoding: $0.content, as: UTF8.self)
      }
      #expect(rotations > 1)
      #expect(numbers == (1...200_000).map { String($0) })
      try await pod.delete(id)
    }
  }

  private func reopen(_ pod: TestPod, _ id: String) async throws {
    let _: Berth_Shim_V1_ReopenLogResponse = try await pod.pod("ReopenLog", Berth_Shim_V1_ReopenLogRequest.with { $0.id = id })
  }

  @Test func aContainerThatClosedItsOutputStillRotates() async throws {
    try await TestPod.with { pod in
      try await pod.withRunning(.shell("exec >&- 2>&-; sleep 1000")) { id in
        let log = pod.bundle(id) + "/log"
        try await pod.eventually("log") { Files.exists(log) }
        try Files.move(log, to: log + ".1")
        try await reopen(pod, id)
        #expect(Files.exists(log))
      }
    }
  }

  @Test func aFullDiskDropsAndCountsAndStopsNothing() async throws {
    try await TestPod.with { pod in
      try await withTmpfs(pod.scratch + "/small", size: "64k") { small in
        var container = TestContainer.shell("seq 1 20000; echo > /said; while [ ! -e /go ]; do sleep 0.02; done; echo last")
        container.log = small + "/log"
        let id = try await pod.create(container)
        try await pod.start(id)
        try await pod.eventually("all that does not fit is dropped") {
          let dropped = try await pod.list().containers.first?.logBytesDropped ?? 0
          try await Task.sleep(for: .milliseconds(50))
          let later = try await pod.list().containers.first?.logBytesDropped
          return Files.exists(pod.bundle(id) + "/upper/said") && dropped > 100_000 && dropped == later
        }
        try Files.remove(small + "/log")
        try await reopen(pod, id)
        _ = try await pod.exec(id, "echo > /go")
        #expect(try await pod.wait(id) == 0)
        #expect(try pod.records(small + "/log").map { String(decoding: $0.content, as: UTF8.self) } == ["last"])
        try await pod.delete(id)
      }
    }
  }

  @Test func aChildThatHoldsTheOutputDelaysNeitherExitNorDelete() async throws {
    try await TestPod.with {
      $0.pid = true
    } _: { pod in
      var container = TestContainer.shell("setsid sleep 4322 & echo said")
      container.sharesPID = true
      let begin = ContinuousClock.now
      let (id, code) = try await pod.run(container)
      #expect(code == 0)
      #expect(try pod.said(id) == "said\n")
      try await pod.delete(id)
      #expect(ContinuousClock.now - begin < .seconds(5))
      #expect(!pod.isRunning("sleep 4322"))
    }
  }
}
