import Core
import NIOCore
import NIOHTTP1
import OCI
import Support
import Synchronization
import Testing

@testable import Registry

/// Manifests that name a subject, sent to registries with and without the referrers interface (distribution specification 1.1, "Pushing Manifests with
/// Subject").
@Suite(.serialized) struct SubjectPushTests {
  private static let empty = Array("{}".utf8)
  private static let emptyType = "application/vnd.oci.empty.v1+json"
  private static let subject = SampleImage(layerSize: 100)
  private static let tag = "sha256-\(subject.digest.hex)"

  /// An artifact about the subject, different for each `name`.
  private static func artifact(_ name: String, type: String? = "application/vnd.test.signature") -> ManifestDocument {
    var manifest = Manifest(
      config: Descriptor(mediaType: emptyType, digest: .sha256(of: empty), size: 2),
      layers: [Descriptor(mediaType: emptyType, digest: .sha256(of: empty), size: 2)])
    manifest.artifactType = type
    manifest.annotations = ["name": name, "org.example.note": "\u{e9} \"\\"]
    guard let json = try? JSON(parsing: JSONDocument.encode(manifest)) else { preconditionFailure("it was encoded here") }
    let bytes = json.setting("subject", descriptor(subject.digest)).bytes
    return ManifestDocument(digest: .sha256(of: bytes), mediaType: MediaType.ociManifest, bytes: bytes)
  }

  private static func descriptor(_ digest: Digest) -> JSON {
    ["mediaType": .string(MediaType.ociManifest), "digest": .string("\(digest)"), "size": .number("\(subject.manifest.count)")]
  }

  private static func index(_ entries: JSON...) -> [UInt8] {
    (["schemaVersion": 2, "mediaType": .string(MediaType.ociIndex), "manifests": .array(entries)] as JSON).bytes
  }

  /// What stands under the subject's tag.
  private static func tagged(_ authority: String, _ client: RegistryClient) async throws -> [JSON] {
    let bytes = try await client.manifest(.test(authority, tag: tag), credentials: nil).bytes
    return try JSON(parsing: bytes)["manifests"]?.array ?? []
  }

  private static func withRegistry(_ body: (LocalRegistry, RegistryClient, any RegistryPush) async throws -> Void) async throws {
    try await withLocalRegistry { registry in
      try registry.add(subject)
      try registry.add(blob: empty, to: "test/image")
      try await withClient { client in
        try await body(registry, client, client.push(to: .test(registry.authority), credentials: nil, mounting: []))
      }
    }
  }

  @Test func `where the registry keeps no list, each is entered once, with its type and its annotations`() async throws {
    let (first, second) = (Self.artifact("first"), Self.artifact("second", type: nil))
    try await Self.withRegistry { registry, client, push in
      for document in [first, second, first] { try await push.put(document, at: "\(document.digest)") }
      try await push.list(second)
      let entries = try await Self.tagged(registry.authority, client)
      #expect(entries.map { $0["digest"]?.string } == [first.digest, second.digest].map(\.description))
      let reference = ImageReference.test(registry.authority, tag: nil, digest: Self.subject.digest)
      let found = try await client.referrers(of: reference, type: nil, credentials: nil).referrers
      #expect(found.map(\.artifactType) == ["application/vnd.test.signature", Self.emptyType])
      #expect(found.map(\.size) == [first, second].map { Int64($0.bytes.count) })
      #expect(found.map(\.mediaType) == [MediaType.ociManifest, MediaType.ociManifest])
      #expect(found.map(\.annotations) == ["first", "second"].map { ["name": $0, "org.example.note": "\u{e9} \"\\"] })
      let signatures = try await client.referrers(of: reference, type: "application/vnd.test.signature", credentials: nil).referrers
      #expect(signatures.map(\.digest) == [first.digest])
    }
  }

  @Test func `one that is there already, but not in the list, is entered by the next push`() async throws {
    let document = Self.artifact("late")
    try await Self.withRegistry { registry, client, push in
      try registry.add(manifest: document.bytes, to: "test/image")
      #expect(try await push.hasManifest(document.digest, at: "\(document.digest)"))
      try await push.list(document)
      let entries = try await Self.tagged(registry.authority, client)
      #expect(entries.count == 1)
    }
  }

  @Test func `what others have written stays as it is`() async throws {
    let other = Self.artifact("other")
    let theirs = Self.descriptor(other.digest).setting("data", "e30=").setting("x", ["y": .number("1.50")])
    try await Self.withRegistry { registry, client, push in
      try registry.add(manifest: other.bytes, to: "test/image")
      let list = try JSON(parsing: Self.index(theirs)).setting("annotations", ["kept": "yes"])
      try registry.add(manifest: list.bytes, to: "test/image", tag: Self.tag)
      try await push.put(Self.artifact("mine"), at: "mine")
      let entries = try await Self.tagged(registry.authority, client)
      #expect(entries.count == 2 && entries[0] == theirs, "\(entries)")
      let bytes = try await client.manifest(.test(registry.authority, tag: Self.tag), credentials: nil).bytes
      #expect(try JSON(parsing: bytes)["annotations"] == ["kept": "yes"])
    }
  }

  @Test func `a tag that leads to something else is left alone, and the push says so`() async throws {
    let document = Self.artifact("mine")
    try await Self.withRegistry { registry, client, push in
      try registry.add(manifest: Self.subject.manifest, to: "test/image", tag: Self.tag)
      let fault = await fault { try await push.put(document, at: "mine") }
      #expect(fault.code == .failedPrecondition, "\(fault)")
      #expect(fault.message.contains("manifest mine: what its referrers' tag leads to is no list of referrers"), "\(fault)")
      #expect(try await push.hasManifest(document.digest, at: "mine"))
      #expect(try await client.manifest(.test(registry.authority, tag: Self.tag), credentials: nil).digest == Self.subject.digest)
    }
  }

  @Test func `many pushed at once all come into the list`() async throws {
    let documents = (0..<12).map { Self.artifact("\($0)") }
    try await Self.withRegistry { registry, client, push in
      try await withThrowingTaskGroup { group in
        for document in documents { group.addTask { try await push.put(document, at: "\(document.digest)") } }
        try await group.waitForAll()
      }
      let entries = try await Self.tagged(registry.authority, client).map { $0["digest"]?.string ?? "" }
      #expect(entries.sorted() == documents.map { "\($0.digest)" }.sorted())
    }
  }

  @Test func `without a subject, or where the registry keeps the list itself, no tag is touched`() async throws {
    let headers = ["OCI-Subject": "\(Self.subject.digest)", "Content-Type": MediaType.ociIndex]
    let document = Self.artifact("mine")
    try await withHostileServer { request in
      .response(request.method == "PUT" ? 201 : 200, headers, Self.index())
    } _: { server in
      try await withClient { client in
        let push = try client.push(to: .test(server.authority), credentials: nil, mounting: [])
        try await push.put(document, at: "1")
        try await push.list(document)
        try await push.list(ManifestDocument(digest: Self.subject.digest, mediaType: MediaType.ociManifest, bytes: Self.subject.manifest))
      }
      #expect(
        server.requests.map { "\($0.method) \($0.path)" } == [
          "PUT /v2/test/image/manifests/1", "GET /v2/test/image/referrers/\(Self.subject.digest)",
        ])
    }
  }

  /// A list that others write to as well.
  private final class SharedList: Sendable {
    /// Of others, one for each time that somebody writes, before or after it.
    private let state: Mutex<(entries: [JSON], others: [JSON], version: Int)>
    private let isConditional: Bool

    init(_ others: [JSON], isConditional: Bool) {
      state = Mutex(([], others, 0))
      self.isConditional = isConditional
    }

    var digests: [String] { state.withLock { $0.entries.compactMap { $0["digest"]?.string } } }

    func answer(_ request: HostileServer.Request) -> [HostileServer.Step] {
      guard request.path.hasSuffix("/manifests/\(SubjectPushTests.tag)") else { return .response(request.method == "PUT" ? 201 : 404) }
      return state.withLock { state in
        if request.method == "GET" {
          if state.version == 0 { return .response(404) }
          let body = (["schemaVersion": 2, "manifests": .array(state.entries)] as JSON).bytes
          return .response(200, ["Content-Type": MediaType.ociIndex, "ETag": "\"\(state.version)\""], body)
        }
        let theirs = state.others.popLast()
        if isConditional, let theirs { (state.entries, state.version) = (state.entries + [theirs], state.version + 1) }
        let wanted = request.headers.first(name: "If-Match") ?? (request.headers.first(name: "If-None-Match") == "*" ? "\"0\"" : "")
        if isConditional, wanted != "\"\(state.version)\"" { return .response(412) }
        let entries = (try? JSON(parsing: Array(request.body.utf8)))?["manifests"]?.array ?? []
        // Whoever does not look loses what was written in between.
        state.entries = !isConditional ? theirs.map { [$0] } ?? entries : entries
        state.version += 1
        return .response(201)
      }
    }
  }

  @Test(arguments: [true, false]) func `who writes at the same time loses nothing, and neither does this one`(isConditional: Bool)
    async throws
  {
    let others = (0..<3).map { Self.descriptor(.sha256(of: [UInt8($0)])) }
    let list = SharedList(others, isConditional: isConditional)
    let document = Self.artifact("mine")
    try await withHostileServer {
      list.answer($0)
    } _: { server in
      try await withClient { client in
        try await client.push(to: .test(server.authority), credentials: nil, mounting: []).put(document, at: "1")
      }
    }
    let expected = (isConditional ? others.reversed() : [others[0]]).compactMap { $0["digest"]?.string } + ["\(document.digest)"]
    #expect(list.digests == expected)
  }

  @Test func `a list that changes all the time is an error at last`() async throws {
    let list = SharedList((0..<100).map { Self.descriptor(.sha256(of: [UInt8($0)])) }, isConditional: true)
    try await withHostileServer {
      list.answer($0)
    } _: { server in
      try await withClient { client in
        let push = try client.push(to: .test(server.authority), credentials: nil, mounting: [])
        let fault = await fault { try await push.put(Self.artifact("mine"), at: "1") }
        #expect(fault.code == .aborted && fault.message.contains(Self.tag), "\(fault)")
      }
    }
  }
}
