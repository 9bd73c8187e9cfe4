import OCI
import Testing

struct ImageDocumentTests {
  static let digest = Digest.sha256(of: [])
  static let descriptor = #"{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"\#(digest)","size":7}"#

  private func parse(_ json: String, _ mediaType: String = "") throws(DocumentError) -> ImageDocument {
    try ImageDocument.parse(Array(json.utf8), mediaType: mediaType)
  }

  @Test func aManifestIsReadWhateverItIsCalledByDockerOrOCI() throws {
    for type in [MediaType.ociManifest, MediaType.dockerManifest + "; charset=utf-8", ""] {
      let json = #"{"schemaVersion":2,"config":\#(Self.descriptor),"layers":[\#(Self.descriptor)],"annotations":null}"#
      guard case .manifest(let manifest) = try parse(json, type) else {
        Issue.record("not a manifest")
        return
      }
      #expect(manifest.layers.map(\.kind) == [.layer(.gzip, distributable: true)])
      #expect(manifest.layers[0].size == 7)
    }
  }

  @Test(arguments: [
    (#"{"config":LAYER,"layers":[],"manifests":[]}"#, "", "manifest and index at once"),
    (#"{"schemaVersion":2}"#, "", "neither layers nor manifests"),
    (#"{"manifests":[]}"#, MediaType.ociManifest, "has the members of an index"),
    (#"{"mediaType":"application/vnd.oci.image.index.v1+json","config":LAYER,"layers":[]}"#, "", "has the members of a manifest"),
    (#"{"schemaVersion":1,"fsLayers":[]}"#, MediaType.dockerSchema1Signed, "schema 1"),
    (#"{"config":LAYER,"layers":[{"mediaType":"x","digest":"sha256:zz","size":1}]}"#, "", "layers[0].digest: not a digest"),
    (#"{"config":LAYER,"layers":[LAYER,{"mediaType":"x","digest":"DIGEST","size":-1}]}"#, "", "layers[1].size: a size of -1 bytes"),
    (#"{"config":LAYER,"layers":[{"digest":"DIGEST","size":9223372036854775807}]}"#, "", "layers[0].size: a size of 92233720"),
    (#"{"config":LAYER,"layers":[{"mediaType":"x","digest":"DIGEST"}]}"#, "", "layers[0].size is missing"),
    (#"{"config":LAYER,"layers":"none"}"#, "", "layers is not of type"),
    ("{", "", "not valid JSON"),
    ("", "", "not valid JSON"),
  ])
  func anIllFormedDocumentNamesItsFault(json: String, mediaType: String, reason: String) {
    let filled = json.replacing("DIGEST", with: Self.digest.description).replacing("LAYER", with: Self.descriptor)
    let error = #expect(throws: DocumentError.self) { try parse(filled, mediaType) }
    #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
  }

  @Test func aDocumentAboveTheLimitIsRefusedUnread() {
    let error = #expect(throws: DocumentError.self) {
      try JSONDocument.decode(Index.self, from: [UInt8](repeating: 0x20, count: 11), as: "index", limit: 10)
    }
    #expect(error?.description == "index: 11 bytes, at most 10 are allowed")
  }

  @Test func hostileNestingAndNumbersAreErrors() {
    let deep = String(repeating: "[", count: 200_000)
    for json in [deep, #"{"config":"# + deep, #"{"manifests":[{"mediaType":"x","digest":"\#(Self.digest)","size":9223372036854775808}]}"#] {
      #expect(throws: DocumentError.self) { try parse(json) }
    }
  }

  @Test func aLayersMediaTypeSaysHowItIsPacked() {
    #expect(MediaType.kind(of: "application/vnd.oci.image.layer.v1.tar+zstd") == .layer(.zstd, distributable: true))
    #expect(MediaType.kind(of: "application/vnd.oci.image.layer.v1.tar") == .layer(.none, distributable: true))
    #expect(MediaType.kind(of: "application/vnd.docker.image.rootfs.diff.tar.gzip") == .layer(.gzip, distributable: true))
    #expect(
      MediaType.kind(of: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip") == .layer(.gzip, distributable: false))
    #expect(MediaType.kind(of: "application/vnd.oci.image.layer.v1.tar+lz4") == .other)
    #expect(MediaType.kind(of: " Application/vnd.oci.image.index.v1+json ; a=b") == .index)
  }
}
