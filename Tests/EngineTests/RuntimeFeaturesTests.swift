import Linux
import Support
import Testing

@testable import Engine

/// What a runtime is believed to be able to do.
@Suite struct RuntimeFeaturesTests {
  /// A runtime whose `features` are these.
  private func features(_ answer: String, kernel: String) async throws -> RuntimeFeatures {
    try await withScratch("features") { scratch in
      try Files.write("#!/bin/sh\n[ \"$*\" = features ] || exit 1\necho '\(answer)'\n", to: scratch + "/runtime", mode: 0o755)
      return await RuntimeFeaturesCache(kernel: KernelVersion(kernel)).of(scratch + "/runtime")
    }
  }

  @Test func `mounts are read-only with all below them where both the runtime and the kernel know how`() async throws {
    let knows = #"{"ociVersionMin": "1.0.0", "mountOptions": ["ro", "rbind", "rro"]}"#
    let versions = [("4.19.0-27-amd64", false), ("5.11.22", false), ("5.12.0-rc1", true), ("6.1.0-18-amd64", true), ("10.0", true)]
    for (kernel, expected) in versions {
      #expect(try await features(knows, kernel: kernel).recursiveReadOnly == expected, "\(kernel)")
    }
    #expect(try await !features(#"{"mountOptions": ["ro", "rbind"]}"#, kernel: "6.1.0").recursiveReadOnly)
    #expect(try await !features("no JSON", kernel: "6.1.0").recursiveReadOnly)
  }

  @Test func `a runtime that is exchanged is asked again`() async throws {
    try await withScratch("features") { scratch in
      let (path, cache) = (scratch + "/runtime", RuntimeFeaturesCache(kernel: KernelVersion("6.1")))
      for (options, expected) in [(#"["rro"]"#, true), ("[]", false)] {
        try Files.write("#!/bin/sh\necho '{\"mountOptions\": \(options)}'\n", to: path + ".new", mode: 0o755)
        try Files.move(path + ".new", to: path)
        for _ in 0..<2 { #expect(await cache.of(path).recursiveReadOnly == expected) }
      }
    }
  }
}
