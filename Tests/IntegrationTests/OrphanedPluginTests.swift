import CRIAPI
import Core
import Linux
import Support
import Testing

/// `kill -9` of berthd while a network plugin adds a pod: the plugin lives on, and must not have the last word.
@Suite(.timeLimit(.minutes(2))) struct OrphanedPluginTests {
  @Test func `a plugin that outlives its berthd is ended before the network is taken back`() async throws {
    try await withScratch("orphans") { scratch in
      let script = """
        #!/bin/sh
        case $CNI_COMMAND in
          ADD) echo $$ >\(scratch)/plugin; sleep 4; echo added too late >>\(scratch)/calls;;
          DEL) echo deleted >>\(scratch)/calls;;
          VERSION) echo '{"cniVersion":"1.0.0","supportedVersions":["1.0.0"]}';;
        esac
        """
      try Files.write(script, to: scratch + "/slow", mode: 0o755)
      try await Node.with(settings: "bin_dirs = [\"\(scratch)\"]\n") { node in
        try Files.write(
          #"{"cniVersion":"1.0.0","name":"slow","plugins":[{"type":"slow"}]}"#, to: node.networkConfig + "/10-test.conflist")
        let config = try node.podConfig("orphaned")
        let run = Task { try await node.run(config) }
        let plugin = try await eventually("the plugin runs") {
          try? Int32(String(decoding: Files.read(scratch + "/plugin").prefix { $0 != 10 }, as: UTF8.self))
        }
        let process = try Pidfd.open(plugin)
        try await node.kill()
        _ = await run.result
        #expect(!process.hasEnded, "nothing else ends it")
        try await node.start()
        try await eventually("the network is taken back") { Files.exists(scratch + "/calls") ? true : nil }
        #expect(process.hasEnded, "before the DEL")
        try await Task.sleep(for: .seconds(4))
        #expect(try Files.read(scratch + "/calls") == Array("deleted\n".utf8))
      }
    }
  }
}
