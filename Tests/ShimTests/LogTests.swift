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
      #expect(records.map(\.tag) == ["F", "P", "F", "P", "P", "F", "F", "F", "P"])
      #expect(records.map(\.content.count) == [16384, 16384, 1, 16384, 16384, 7232, 2, 0, 3])
      #expect(records[6].content == [1, 255])
      try await pod.delete(id)
    }
  }

  @Test func bothStreamsAreTaggedAndALineThatNeverEndedGetsNoEnd() async throws {
    try await TestPod.with { pod in
      let (id, _) = try await pod.run(.shell("echo out; echo err >&2; printf part"))
      #expect(try pod.said(id) == "out\npart")
      let last = try #require(try await pod.list().containers.first)
      #expect(last.logRecords == 3 && last.logSplits == 0)
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
        let records = try pod.records(small + "/log").map { ($0.stream, String(decoding: $0.content, as: UTF8.self)) }
        #expect(records.map(\.0) == ["stderr", "stdout"] && records.last?.1 == "last")
        let notice = try #require(records.first?.1)
        #expect(notice.hasPrefix("[berth: ") && notice.hasSuffix(" bytes of this log were lost: No space left on device]"), "\(notice)")
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

  @Test func theLimitOfALineIsTheContainersOwn() async throws {
    try await TestPod.with { pod in
      var container = TestContainer.shell("head -c 2500 /dev/zero | tr '\\0' a; echo; echo b")
      container.logLineLimit = 1024
      let (id, _) = try await pod.run(container)
      let records = try pod.records(pod.bundle(id) + "/log")
      #expect(records.map(\.tag) == ["P", "P", "F", "F"] && records.map(\.content.count) == [1024, 1024, 452, 1])
      try await pod.delete(id)
    }
  }

  @Test func noLineHasPiecesInTwoFiles() async throws {
    try await TestPod.with { pod in
      let script = "head -c 50000 /dev/zero | tr '\\0' a > /tmp/line; echo >> /tmp/line; while cat /tmp/line; do sleep 0.002; done"
      try await pod.withRunning(.shell(script)) { id in
        let log = pod.bundle(id) + "/log"
        for number in 0..<20 {
          try await pod.eventually("some output") { try Files.exists(log) && FileIdentity.of(path: log).size > 100_000 }
          try Files.move(log, to: "\(log).\(number)")
          try await reopen(pod, id)
          let records = try pod.records("\(log).\(number)")
          #expect(records.last?.tag == "F")
          #expect(records.map(\.content.count).split { $0 < 16384 }.allSatisfy { $0.count == 3 })
        }
      }
    }
  }

  @Test func aLogThatSomebodyRemovedIsMadeAgainOnceItsDirectoryIsThere() async throws {
    try await TestPod.with { pod in
      let directory = pod.scratch + "/gone"
      try Files.makeDirectories(directory)
      var container = TestContainer.shell("while echo line; do sleep 0.01; done")
      container.log = directory + "/log"
      try await pod.withRunning(container) { id in
        try await pod.eventually("the log") { Files.exists(directory + "/log") }
        try Files.removeTree(directory)
        try await pod.eventually("what is lost is counted") { (try await pod.list().containers.first?.logBytesDropped ?? 0) > 0 }
        try Files.makeDirectories(directory)
        try await pod.eventually("it is back, with a word on what is missing") {
          try Files.exists(directory + "/log") && pod.records(directory + "/log").count > 1
        }
        let first = try #require(try pod.records(directory + "/log").first)
        #expect(
          first.stream == "stderr" && String(decoding: first.content, as: UTF8.self).contains("were lost: No such file or directory]"))
      }
    }
  }

  @Test func threeContainersAtFullSpeedThroughRotationsHaveEveryLineOnceAndInOrder() async throws {
    try await TestPod.with { pod in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<3 { group.addTask { try await expectEveryLine(pod, 100_000) } }
        try await group.waitForAll()
      }
    }
  }

  private func expectEveryLine(_ pod: TestPod, _ count: Int) async throws {
    let filler = String(repeating: "x", count: 90)
    let script = "seq 1 \(count) | busybox sed 's/$/ \(filler)/' & seq 1 \(count / 10) >&2; wait"
    let id = try await pod.create(.shell(script))
    let log = pod.bundle(id) + "/log"
    try await pod.start(id)
    var rotations = 0
    while try await pod.list().containers.contains(where: { $0.id == id && $0.phase == .running }) {
      try Files.move(log, to: "\(log).\(rotations)")
      rotations += 1
      try await reopen(pod, id)
      try await Task.sleep(for: .milliseconds(20))
    }
    #expect(try await pod.wait(id) == 0)
    let records = try ((0..<rotations).map { "\(log).\($0)" } + [log]).flatMap { try pod.records($0) }
    let said = { (stream: String) in records.filter { $0.stream == stream }.map { String(decoding: $0.content, as: UTF8.self) } }
    #expect(said("stdout") == (1...count).map { "\($0) \(filler)" })
    #expect(said("stderr") == (1...(count / 10)).map { "\($0)" })
    try await pod.delete(id)
  }
}
