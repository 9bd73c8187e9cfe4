import Content
import Core
import Linux
import OCI
import Support
import Testing

/// Images of archives, read as from a registry.
@Suite struct ArchiveSourceTests {
  private func run(_ program: String, _ arguments: [String], _ directory: String) async throws {
    let output = try await Command.run(
      program, arguments, environment: ["PATH=/usr/bin:/bin:/usr/sbin", "HOME=/root"], directory: directory, timeout: .seconds(60))
    #expect(output.succeeded, "\(program): \(String(decoding: output.stderr, as: UTF8.self))")
  }

  private func layers() async throws -> [PackedLayer] {
    [
      try await PackedLayer([.directory("etc"), .file("etc/a", "a")], .gzip), try await PackedLayer([.file("etc/b", "b")], .plain),
      try await PackedLayer([], .plain),
    ]
  }

  /// Imports the archive's one image into a layer store, and lists what it holds.
  private func contents(_ path: String, _ name: String, _ root: String) async throws -> [String] {
    let source = try await ArchiveSource.open(path)
    #expect(source.images.count == 1)
    #expect(source.images[0].names == [name])
    let reference = try ImageReference(parsing: name)
    let document = try await source.manifest(reference, credentials: nil)
    #expect(document.digest.matches(document.bytes))
    guard case .manifest(let manifest) = try ImageDocument.parse(document.bytes, mediaType: document.mediaType) else { return [] }
    let config = try ImageConfig.parse(try await read(try await source.blob(manifest.config, of: reference, credentials: nil)))
    let store = try LayerDirectories(root: root)
    var ids: [LayerID] = []
    for (descriptor, diffID) in zip(manifest.layers, try config.diffIDs(for: manifest)) {
      let blob = try await read(try await source.blob(descriptor, of: reference, credentials: nil))
      var layer = PackedLayer(tar: [], blob: blob, mediaType: descriptor.mediaType)
      layer.description = LayerDescription(descriptor: descriptor, diffID: diffID)
      ids += [try await store.commit(try await store.apply(layer), above: ids).id]
    }
    let mount = RootfsMount(lower: ids.reversed().map { LayerLayout.files(root, $0) }, upper: nil, work: nil)
    return try await withOverlay(mount, at: "\(root)/merged") { try TreeListing("\(root)/merged").lines.keys.sorted() }
  }

  private func read(_ stream: any BlobStream) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    while let piece = try await stream.next() { bytes += piece }
    return bytes
  }

  @Test func anOCILayoutIsReadAsDirectoryAndAsTar() async throws {
    try await withScratch { root in
      try OCILayout.write(try await layers(), to: "\(root)/layout", name: "localhost/app:1")
      #expect(try await contents("\(root)/layout", "localhost/app:1", "\(root)/one") == ["etc", "etc/a", "etc/b"])
      try await run("/usr/bin/tar", ["-cf", "../layout.tar", "."], "\(root)/layout")
      #expect(try await contents("\(root)/layout.tar", "localhost/app:1", "\(root)/two") == ["etc", "etc/a", "etc/b"])
    }
  }

  @Test func aDockerArchiveGetsAManifestOfItsOwn() async throws {
    try await withScratch { root in
      try OCILayout.write(try await layers(), to: "\(root)/layout")
      try await run(
        "/usr/bin/skopeo", ["--insecure-policy", "copy", "-q", "oci:layout:test", "docker-archive:saved.tar:localhost/app:1"], root)
      #expect(try await contents("\(root)/saved.tar", "localhost/app:1", "\(root)/store") == ["etc", "etc/a", "etc/b"])
    }
  }

  @Test func whatIsNoArchiveIsRefused() async throws {
    try await withScratch { root in
      try Files.write([UInt8](repeating: 0x41, count: 5000), to: "\(root)/noise")
      try Files.write("", to: "\(root)/empty")
      try Files.write(Tar([.file("x", "x")]).bytes, to: "\(root)/other.tar")
      try Files.makeDirectories("\(root)/directory")
      for name in ["noise", "empty", "other.tar", "directory"] {
        let fault = await #expect(throws: Fault.self) { try await ArchiveSource.open("\(root)/\(name)") }
        #expect(
          fault?.code == .invalidArgument && fault?.message.contains("archive \(root)/\(name)") == true, "\(String(describing: fault))")
      }
      let fault = await #expect(throws: Fault.self) { try await ArchiveSource.open("\(root)/none") }
      #expect(fault?.code == .notFound)
    }
  }
}
