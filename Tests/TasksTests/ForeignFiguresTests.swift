import Core
import FoundationEssentials
import Linux
import ShimAPI
import Support
import SwiftProtobuf
import Testing

@testable import Tasks

/// What other shims tell of a container's cgroup, in messages as their nodes make them: with all fields (containerd/cgroups, cgroup1/stats and
/// cgroup2/stats), those that nobody reads among them.
@Suite struct ForeignFiguresTests {
  private func message(_ fields: [WireField]) -> [UInt8] { fields.reduce(into: []) { $1.write(&$0) } }

  /// Each field of these numbers has a value of its own: `base` and its number.
  private func counters(_ numbers: ClosedRange<UInt64>, from base: UInt64, _ own: [UInt64: UInt64] = [:]) -> [UInt8] {
    message(numbers.map { .varint($0, own[$0] ?? base + $0) })
  }

  private func figures(_ version: Int, _ fields: [WireField]) throws -> ForeignFigures {
    try ForeignFigures(
      .with {
        $0.typeURL = "io.containerd.cgroups.v\(version).Metrics"
        $0.value = .init(message(fields))
      })
  }

  @Test func `figures of cgroup v2 are those of its fields`() throws {
    let io = message([.bytes(1, counters(1...6, from: 900))])
    let figures = try figures(
      2,
      [
        .bytes(1, counters(1...2, from: 700)), .bytes(2, counters(1...6, from: 5_000)),
        .bytes(4, counters(1...37, from: 1000, [32: 50_000, 33: 80_000])), .bytes(5, []), .bytes(6, io),
        .bytes(7, counters(1...2, from: 800)), .bytes(8, counters(1...5, from: 600)),
      ])
    #expect(figures.cpu == 5_001_000, "microseconds, as nanoseconds")
    let memory = try #require(figures.memory)
    #expect(memory.usage == 50_000 && memory.limit == 80_000)
    #expect(memory.anonymous == 1001 && memory.cache == 1002 && memory.mappedFile == 1007)
    #expect(memory.inactiveAnonymous == 1011 && memory.activeAnonymous == 1012)
    #expect(memory.inactiveFile == 1013 && memory.activeFile == 1014)
    #expect(memory.faults == 1018 && memory.majorFaults == 1019)
    #expect(memory.workingSet == 50_000 - 1013 && memory.available == 80_000 - 50_000 + 1013)
  }

  @Test func `figures of cgroup v1 are those of its fields`() throws {
    let usage = counters(1...4, from: 0, [1: 80_000, 2: 50_000])
    let memory = counters(1...32, from: 1000) + message([.bytes(33, usage), .bytes(34, counters(1...4, from: 300))])
    let cpu = message([.bytes(1, counters(1...3, from: 7_000_000)), .bytes(2, counters(1...3, from: 40))])
    let figures = try figures(1, [.bytes(2, counters(1...2, from: 700)), .bytes(3, cpu), .bytes(4, memory), .bytes(5, [])])
    #expect(figures.cpu == 7_000_001)
    let told = try #require(figures.memory)
    #expect(told.usage == 50_000 && told.limit == 80_000)
    #expect(told.cache == 1018 && told.anonymous == 1019 && told.mappedFile == 1021)
    #expect(told.faults == 1026 && told.majorFaults == 1027)
    #expect(told.inactiveAnonymous == 1028 && told.activeAnonymous == 1029)
    #expect(told.inactiveFile == 1030 && told.activeFile == 1031)
    #expect(told.workingSet == 50_000 - 1030 && told.available == 80_000 - 50_000 + 1030)
  }

  /// "max" of cgroup v2, and what v1 has for it.
  @Test(arguments: [0, UInt64.max, 0x7FFF_FFFF_FFFF_F000]) func `no limit is none`(_ limit: UInt64) throws {
    let (v1, v2) = (message([.varint(1, limit), .varint(2, 5)]), message([.varint(32, 5), .varint(33, limit)]))
    for figures in [try figures(1, [.bytes(4, message([.bytes(33, v1)]))]), try figures(2, [.bytes(4, v2)])] {
      #expect(figures.memory?.usage == 5 && figures.memory?.limit == nil && figures.memory?.available == nil)
      #expect(figures.cpu == nil, "a controller that is not there says nothing")
    }
  }

  @Test func `what is not known is no figure`() {
    let answer = Google_Protobuf_Any.with { $0.typeURL = "io.containerd.cgroups.v3.Metrics" }
    let fault = #expect(throws: Fault.self) { try ForeignFigures(answer) }
    #expect(fault?.code == .unimplemented && fault?.message.contains("v3.Metrics") == true)
    #expect(throws: (any Error).self) { try figures(2, [.bytes(4, [0xFF])]) }
    #expect(throws: Never.self) { try ForeignFigures(.with { $0.typeURL = "types.googleapis.com/io.containerd.cgroups.v2.Metrics" }) }
  }
}
