import Core
import Linux
import Support
import Testing

/// Starts berthd with settings that it must refuse, in words that name what is wrong.
func expectRefusedSettings(_ settings: String, _ word: String) async throws {
  try await withScratch("bad-settings") { scratch in
    try Files.write(settings, to: scratch + "/config.toml")
    let output = try await Command.run(
      try Programs.path("berthd"),
      ["--config", scratch + "/config.toml", "--root", scratch + "/root", "--state", scratch + "/state", "--address", scratch + "/s"],
      timeout: .seconds(30))
    try? Mounts.unmountAll(below: scratch + "/state")
    #expect(!output.succeeded && output.errorText.contains(word), "\(output.errorText)")
  }
}
