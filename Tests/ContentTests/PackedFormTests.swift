import Content
import Core
import Linux
import OCI
import Support
import Testing

/// The same files, packed in all the ways there are: what is unpacked is what umoci makes of it, or what is known to be in it.
@Suite struct PackedFormTests {
  private static let entries: [Tar.Entry] = [
    .directory("etc").owned(3, 4), .file("etc/large", bytes: (0..<200_000).map { _ in UInt8.random(in: 0...255) }),
    .file("etc/passwd", "root"), .symlink("link", "etc/passwd"), .link("hard", "etc/passwd"),
  ]

  private static func pieces(_ bytes: [UInt8], of size: Int) -> [[UInt8]] {
    stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<min($0 + size, bytes.count)]) }
  }

  private func expectUnpacked(_ layer: PackedLayer, _ names: String...) async throws {
    try await withScratch { root in
      let store = try LayerDirectories(root: root)
      let plain = try await PackedLayer(Self.entries)
      let id = try await store.add([layer])[0]
      let other = try await store.add([plain])[0]
      var listing = try TreeListing(LayerLayout.files(root, id))
      for name in names { #expect(listing.lines.removeValue(forKey: name) != nil, "\(name)") }
      #expect(listing.differences(from: try TreeListing(LayerLayout.files(root, other))) == [])
      #expect(try await store.verify(id) == [])
    }
  }

  @Test func `estargz is gzip of many members, its table of contents a file like any other`() async throws {
    let table = [Tar.Entry.file(".no.prefetch.landmark", "\u{f}"), .file("stargz.index.json", #"{"version":1,"entries":[]}"#)]
    let tar = Tar(Self.entries + table).bytes
    var blob: [UInt8] = []
    for piece in Self.pieces(tar, of: 4096) { blob += try await Packing.gzip.pack(piece) }
    // The footer: an empty member whose extra field says where the table is.
    blob += [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 26, 0, 0x53, 0x47, 22, 0] + Array("0000000000001000STARGZ".utf8)
    blob += [1, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]
    try await expectUnpacked(PackedLayer(tar: tar, blob: blob), ".no.prefetch.landmark", "stargz.index.json")
  }

  @Test func `zstd chunked is zstd of many frames, what it skips between and behind them is skipped`() async throws {
    let tar = Tar(Self.entries).bytes
    func skippable(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
      [0x50 | number, 0x2a, 0x4d, 0x18, UInt8(content.count & 255), UInt8(content.count >> 8), 0, 0] + content
    }
    var blob: [UInt8] = skippable(1, [1, 2, 3])
    for (number, piece) in Self.pieces(tar, of: 30_000).enumerated() {
      blob += try await Packing.zstd.pack(piece)
      if number % 2 == 0 { blob += skippable(0, Array("between".utf8)) }
    }
    blob += skippable(0, Array(#"{"version":1,"entries":[]}"#.utf8)) + skippable(0, [UInt8](repeating: 7, count: 64))
    try await expectUnpacked(PackedLayer(tar: tar, blob: blob, mediaType: MediaType.ociLayerZstd))
  }

  @Test(arguments: Packing.allCases) func `a media type that lies about the packing does not matter`(_ packing: Packing) async throws {
    let tar = Tar(Self.entries).bytes
    let blob = try await packing.pack(tar)
    for type in [
      MediaType.ociLayer, MediaType.ociLayerGzip, MediaType.ociLayerZstd, MediaType.dockerLayerGzip,
      "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    ] {
      try await expectUnpacked(PackedLayer(tar: tar, blob: blob, mediaType: type))
    }
  }

  @Test(arguments: ["v7", "oldgnu", "gnu", "ustar", "posix", "gnu --sparse", "posix --sparse"])
  func `a tar as GNU tar writes it is what umoci makes of it`(format: String) async throws {
    try await withScratch { root in
      let tree = root + "/tree"
      let long = format == "v7" ? "short" : String(repeating: "directory/", count: 12) + "file"
      let script = """
        mkdir -p '\(tree)/dir/sub' "$(dirname '\(tree)/\(long)')"; cd '\(tree)'
        echo text >dir/file; ln dir/file dir/hard; ln -s ../dir/file dir/sub/link; chmod 4751 dir/file; chown 12:34 dir/file
        echo long >'\(long)'; truncate -s 5M hole; printf end | dd of=hole bs=1 seek=3000000 conv=notrunc 2>/dev/null
        truncate -s 300k tail; : >empty; touch -d '2001-02-03 04:05:06' empty dir/sub dir
        [ '\(format)' = v7 ] || mkfifo dir/pipe
        tar --format=\(format) --numeric-owner --sort=name -cf '\(root)/layer.tar' .
        tar --format=\(format.split(separator: " ")[0]) --numeric-owner --sort=name -cf '\(root)/plain.tar' .
        """
      let made = try await Command.run("/bin/sh", ["-euc", script], environment: ["PATH=/usr/bin:/bin"], timeout: .seconds(60))
      #expect(made.succeeded, "\(String(decoding: made.stderr, as: UTF8.self))")
      let tar = try Files.read(root + "/layer.tar")
      let layer = PackedLayer(tar: tar, blob: try await Packing.gzip.pack(tar))
      let store = try LayerDirectories(root: root)
      let id = try await store.add([layer])[0]
      // umoci knows no sparse files of GNU's kind: it gets the same files without holes.
      let plain = try Files.read(root + "/plain.tar")
      let expected = try TreeListing(
        try await Umoci.unpack([PackedLayer(tar: plain, blob: plain, mediaType: MediaType.ociLayer)], in: root))
      #expect(try TreeListing(LayerLayout.files(root, id)).differences(from: expected) == [])
      #expect(expected.lines["hole"]?.contains(" 5242880 ") == true)
      #expect(try await store.verify(id) == [])
    }
  }
}
