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

  @Test func encodingIsStable() {
    let value = ["b": "/x", "a": "y"]
    #expect(String(decoding: JSONDocument.encode(value), as: UTF8.self) == #"{"a":"y","b":"/x"}"#)
  }
}
