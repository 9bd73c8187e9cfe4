import OCI
import Testing

struct ImageConfigTests {
  private func parse(_ json: String) throws(DocumentError) -> ImageConfig { try ImageConfig.parse(Array(json.utf8)) }

  @Test func nullAndAbsentMembersReadAsEmpty() throws {
    let config = try parse(
      #"{"config":{"Env":null,"Entrypoint":null,"Volumes":null,"Labels":null},"rootfs":{"type":"layers","diff_ids":null},"history":null}"#)
    #expect(config.config == ImageConfig.Execution())
    #expect(config.rootfs.diffIDs.isEmpty)
    #expect(try parse("{}").config == ImageConfig.Execution())
  }

  @Test func whatADockerBuildWritesIsUnderstood() throws {
    let config = try parse(
      #"""
      {"architecture":"arm64","variant":"v8","os":"linux","created":"2024-01-01T00:00:00Z","config":{"User":"app:users","Env":["A=1"],
       "Entrypoint":"/init","Cmd":["-v"],"WorkingDir":"/srv","ExposedPorts":{"80/tcp":{},"53/udp":{}},"Volumes":{"/data":{}},
       "StopSignal":"SIGQUIT","Labels":{"a":"b"},"OnBuild":null,"ArgsEscaped":true},"rootfs":{"type":"layers","diff_ids":["\#(Digest.sha256(of: []))"]},
       "history":[{"created_by":"COPY","empty_layer":true}]}
      """#)
    #expect(config.platform.description == "linux/arm64/v8")
    #expect(config.config.user == "app:users")
    #expect(config.config.entrypoint == ["/init"])
    #expect(config.config.exposedPorts == ["53/udp", "80/tcp"])
    #expect(config.config.volumes == ["/data"])
    #expect(config.history[0].emptyLayer == true)
    #expect(try ImageConfig.parse(JSONDocument.encode(config)) == config)
  }

  @Test func aConfigurationMustDescribeEveryLayerOfTheManifest() throws {
    let descriptor = Descriptor(mediaType: MediaType.ociLayer, digest: Digest.sha256(of: []), size: 1)
    let manifest = Manifest(config: descriptor, layers: [descriptor])
    let error = #expect(throws: DocumentError.self) { try ImageConfig().diffIDs(for: manifest) }
    #expect(error?.description == "image configuration: 0 diff IDs for the manifest's 1 layers")
  }

  @Test func badDiffIDsAndUnknownRootTypesAreRefused() {
    #expect(throws: DocumentError.self) { try parse(#"{"rootfs":{"type":"layers","diff_ids":["sha256:x"]}}"#) }
    #expect(throws: DocumentError.self) { try parse(#"{"rootfs":{"type":"squash","diff_ids":[]}}"#) }
    #expect(throws: DocumentError.self) { try parse(#"{"config":{"Env":[1]}}"#) }
  }

  @Test func anImageForAnotherPlatformIsRefused() throws {
    let host = Platform(os: "linux", architecture: "amd64")
    let error = #expect(throws: PlatformError.self) { try parse(#"{"os":"windows","architecture":"amd64"}"#).check(runsOn: host) }
    #expect(error?.description == "no image for linux/amd64: it has windows/amd64")
    try parse("{}").check(runsOn: host)
    try parse(#"{"os":"linux","architecture":"amd64"}"#).check(runsOn: host)
  }

  @Test(
    arguments: [
      ("SIGTERM", 15), ("term", 15), ("9", 9), ("SIGRTMIN+3", 37), ("rtmax-1", 63), ("SIGRTMIN", 34), ("0", nil), ("65", nil),
      ("SIGFOO", nil),
      ("RTMIN-1", nil), ("RTMIN+99", nil), ("", nil),
    ] as [(String, Int32?)])
  func signalsAreKnownByNameAndNumber(text: String, number: Int32?) {
    #expect(SignalName.number(of: text) == number)
  }

  @Test func encodingIsStable() {
    let value = ["b": "/x", "a": "y"]
    #expect(String(decoding: JSONDocument.encode(value), as: UTF8.self) == #"{"a":"y","b":"/x"}"#)
  }
}
