import OCI
import Testing

struct PlatformTests {
  static let amd64 = Platform(os: "linux", architecture: "amd64")

  private func index(_ platforms: String...) -> Index {
    Index(
      manifests: platforms.enumerated().map { number, text in
        let parts = text.split(separator: "/").map(String.init)
        let platform = parts.isEmpty ? nil : Platform(os: parts[0], architecture: parts[1], variant: parts.count > 2 ? parts[2] : nil)
        return Descriptor(
          mediaType: MediaType.ociManifest, digest: Digest.sha256(of: [UInt8(number)]), size: Int64(number), platform: platform)
      })
  }

  private func chosen(_ index: Index, for host: Platform) throws -> String {
    try index.entry(for: host).platform?.description ?? ""
  }

  @Test func theHostsOwnArchitectureIsChosenOverItsSibling() throws {
    #expect(try chosen(index("linux/386", "linux/arm64", "linux/amd64"), for: Self.amd64) == "linux/amd64")
    #expect(try chosen(index("linux/386", "windows/amd64"), for: Self.amd64) == "linux/386")
    #expect(try chosen(index("", "linux/x86_64"), for: Self.amd64) == "linux/x86_64")
    #expect(try chosen(index("", "linux/s390x"), for: Self.amd64) == "")
  }

  @Test func theHighestVariantTheHostCanRunIsChosen() throws {
    let arm = index("linux/arm/v5", "linux/arm/v7", "linux/arm/v6", "linux/arm64")
    #expect(try chosen(arm, for: Platform(os: "linux", architecture: "arm", variant: "v6")) == "linux/arm/v6")
    #expect(try chosen(arm, for: Platform(os: "linux", architecture: "arm")) == "linux/arm/v7")
    #expect(try chosen(arm, for: Platform(os: "linux", architecture: "arm64", variant: "v8")) == "linux/arm64")
    #expect(try chosen(index("linux/amd64/v3", "linux/amd64"), for: Self.amd64) == "linux/amd64")
    #expect(
      try chosen(index("linux/amd64", "linux/amd64/v3"), for: Platform(os: "linux", architecture: "amd64", variant: "v3"))
        == "linux/amd64/v3")
  }

  @Test func attestationsAreNoImages() throws {
    var attested = index("unknown/unknown", "linux/amd64")
    #expect(try attested.entry(for: Self.amd64).size == 1)
    attested.manifests[1].annotations = ["vnd.docker.reference.type": "attestation-manifest"]
    #expect(throws: PlatformError.self) { try attested.entry(for: Self.amd64) }
  }

  @Test func anIndexWithoutAFittingEntrySaysWhatItHas() {
    let error = #expect(throws: PlatformError.self) {
      try index("linux/arm64/v8", "windows/amd64", "linux/arm64/v8", "unknown/unknown").entry(for: Self.amd64)
    }
    #expect(error?.description == "no image for linux/amd64: it has linux/arm64/v8, windows/amd64")
  }
}
