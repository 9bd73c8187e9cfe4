import Core
import Linux
import Support
import Testing

@testable import CNI

/// What a plugin can do wrong, and what is said of it. Each ends with nothing attached and every plugin told to delete.
struct PluginErrorTests {
  private func attachFails(
    _ behaviour: String, code: Fault.Code, _ change: (inout CNINetwork.Settings) -> Void = { _ in }, _ message: (String) -> Bool
  ) async throws {
    try await withScratch("cni") { directory in
      let plugins = try FakePlugins(directory)
      try plugins.configure(plugins: ["bridge", "tuner"])
      try plugins.plan("tuner", "ADD", [behaviour])
      let network = try plugins.network(change)
      let pod = attachment()
      let error = await #expect(throws: Fault.self) { try await network.attach(pod) }
      #expect(error?.code == code)
      #expect(message(error?.message ?? ""), "\(error?.message ?? "")")
      #expect(plugins.calls == ["bridge ADD", "tuner ADD", "tuner DEL", "bridge DEL"])
      #expect(try network.attachments().isEmpty && network.pending().isEmpty && network.result(pod.sandboxID) == nil)
      #expect(try Files.list(directory + "/root/cni") == ["pending"])
      await network.close()
    }
  }

  @Test func itsErrorIsPassedOnWithItsDetails() async throws {
    try await attachFails("fail", code: .internal) { $0 == #"network: plugin "tuner" ADD: no such bridge: br0 is gone"# }
    try await attachFails("again", code: .unavailable) { $0 == #"network: plugin "tuner" ADD: busy"# }
  }

  @Test func withoutOneItsStderrIsQuoted() async throws {
    try await attachFails("stderr", code: .internal) { $0 == #"network: plugin "tuner" ADD: exit code 127: cannot open shared object"# }
  }

  @Test func aSignalIsNamed() async throws {
    try await attachFails("killed", code: .internal) { $0 == #"network: plugin "tuner" ADD: killed by signal 9"# }
  }

  @Test func rubbishIsQuoted() async throws {
    try await attachFails("rubbish", code: .internal) {
      $0 == #"network: plugin "tuner" ADD: its result is not valid JSON: line 1: expected a value: hello, I am a plugin"#
    }
    try await attachFails("empty", code: .internal) { $0.hasPrefix(#"network: plugin "tuner" ADD: its result is not valid JSON"#) }
    try await attachFails("list", code: .internal) { $0 == #"network: plugin "tuner" ADD: its result is not a JSON object: []"# }
  }

  @Test func aHangingPluginIsKilledWithItsChildrenAndTheTimeIsNamed() async throws {
    let before = try sleepers()
    try await attachFails("hang", code: .deadlineExceeded, { $0.addLimit = .milliseconds(1200) }) {
      $0 == #"network: plugin "tuner" ADD: no answer after 1 s: killed"#
    }
    #expect(try sleepers() == before)
  }

  @Test func aHangThatUsesUpTheTimeOfTheNextPluginIsToldApart() async throws {
    try await withScratch("cni") { directory in
      let plugins = try FakePlugins(directory)
      try plugins.configure(plugins: ["bridge"])
      let record = try AttachmentRecord(attachment(), networks: try ConfigurationDirectory(path: directory + "/conf").networks())
      let chain = Chain(network: record.network!, directories: PluginDirectories(plugins.settings.pluginDirectories))
      let error = await #expect(throws: Fault.self) { try await chain.add(record, until: .now) }
      #expect(error?.message == #"plugin "bridge" ADD: not started: no time was left for it"#)
      #expect(plugins.calls.isEmpty)
    }
  }

  @Test func aMissingPluginIsNamedWithTheSearchedDirectories() async throws {
    try await withScratch("cni") { directory in
      let plugins = try FakePlugins(directory)
      try plugins.configure(plugins: ["bridge"])
      let network = try plugins.network()
      try await network.status()
      try Files.remove(directory + "/bin/bridge")
      let status = await #expect(throws: Fault.self) { try await network.status() }
      #expect(status?.code == .failedPrecondition)
      #expect(status?.message == #"network: plugin "bridge": not found in \#(directory)/none, \#(directory)/bin"#)
      let error = await #expect(throws: Fault.self) { try await network.attach(attachment()) }
      #expect(error?.message == #"network: plugin "bridge" ADD: not found in \#(directory)/none, \#(directory)/bin"#)
      await network.close()
    }
  }

  @Test func aPluginThatCannotBeExecutedIsNamed() async throws {
    try await withScratch("cni") { directory in
      let plugins = try FakePlugins(directory)
      try plugins.configure(plugins: ["bridge"])
      try Files.remove(directory + "/bin/bridge")
      try Files.write("no program", to: directory + "/bin/bridge", mode: 0o644)
      let network = try plugins.network()
      let error = await #expect(throws: Fault.self) { try await network.attach(attachment()) }
      #expect(error?.message == #"network: plugin "bridge" ADD: execve \#(directory)/bin/bridge: Permission denied"#)
      await network.close()
    }
  }

  @Test func withoutAConfigurationStatusAndAttachSaySo() async throws {
    try await withScratch("cni") { directory in
      let plugins = try FakePlugins(directory)
      let network = try plugins.network()
      for attempt in 0..<2 {
        let error = await #expect(throws: Fault.self) {
          if attempt == 0 { try await network.status() } else { _ = try await network.attach(attachment()) }
        }
        #expect(error?.code == .failedPrecondition)
        #expect(error?.message == "network: no network configuration in \(directory)/conf")
      }
      try plugins.configure(plugins: ["bridge"])
      try await network.status()
      await network.close()
    }
  }

  @Test func cancellingAnAttachmentUndoesIt() async throws {
    try await withScratch("cni") { directory in
      let plugins = try FakePlugins(directory)
      try plugins.configure(plugins: ["bridge"])
      try plugins.plan("bridge", "ADD", ["hang"])
      let network = try plugins.network()
      let task = Task { try await network.attach(attachment()) }
      #expect(try await eventually { plugins.calls == ["bridge ADD"] })
      task.cancel()
      let error = await #expect(throws: Fault.self) { try await task.value }
      #expect(error?.code == .cancelled)
      #expect(plugins.calls == ["bridge ADD", "bridge DEL"])
      #expect(try network.attachments().isEmpty)
      await network.close()
    }
  }

  private func sleepers() throws -> Int {
    try Files.list("/proc").filter { (try? Files.read("/proc/\($0)/cmdline")) == Array("sleep\u{0}1000\u{0}".utf8) }.count
  }
}
