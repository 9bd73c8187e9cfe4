import Core
import Linux
import OCI
import Snapshots
import Support
import Testing

@Suite struct NativeSnapshotsTests {
  private static let low = """
    mkdir -p etc/deep usr/lib var/cache/sub gone; chown 3:4 etc; chmod 2751 etc; echo root >etc/passwd; echo x >etc/deep/x; ln etc/passwd etc/alias
    ln -s usr/lib lib; echo libc >usr/lib/libc.so; echo a >var/cache/a; echo c >var/cache/sub/c; echo g >gone/g; mkfifo pipe; mknod null c 1 3
    truncate -s 3M hole; printf end | dd of=hole bs=1 seek=2000000 conv=notrunc 2>/dev/null; echo s >su; chown 0:5 su; chmod 6755 su
    xattr etc user.note 68656c6c6f; xattr su security.capability 0100000200200000000000000000000000000000
    echo dir >filedir; mkdir dirfile; echo in >dirfile/in; touch -d '2001-02-03 04:05:06.789' etc/deep usr
    """
  private static let high = """
    mkdir -p etc var/cache var usr; chown 9:9 etc; chmod 700 etc; mknod etc/deep c 0 0; mknod gone c 0 0; mknod lib c 0 0
    xattr var/cache trusted.overlay.opaque 79; echo new >var/cache/new; mkdir filedir; echo f >filedir/f; echo file >dirfile
    echo again >etc/passwd; ln etc/passwd usr/link; mknod nothing c 0 0; touch -d '2002-02-03 04:05:06' usr var
    """

  /// File, name, value in hex.
  private static let xattr =
    #"xattr() { python3 -c 'import os,sys; os.setxattr(sys.argv[1], sys.argv[2], bytes.fromhex(sys.argv[3]))' "$@"; }"#

  private func layer(_ root: String, _ name: String, _ script: String) async throws -> LayerID {
    let id = LayerID(Digest.sha256(of: Array(name.utf8)))
    let files = LayerLayout.files(root, id)
    try Files.makeDirectories(files, mode: 0o755)
    let output = try await Command.run(
      "/bin/sh", ["-euc", "cd '\(files)'; \(Self.xattr)\n\(script)"], environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
      timeout: .seconds(20))
    #expect(output.succeeded, "\(String(decoding: output.stderr, as: UTF8.self))")
    return id
  }

  @Test func `a copy of layers is what overlayfs shows of them`() async throws {
    try await withScratch { root in
      let overlay = try OverlaySnapshots(root: root)
      let native = NativeSnapshots(root: root, base: overlay)
      let layers = [try await layer(root, "low", Self.low), try await layer(root, "high", Self.high)]
      let shown = try await overlay.prepare("shown", above: layers)
      let expected = try await withOverlay(shown, at: "\(root)/merged") { try TreeListing("\(root)/merged") }
      let mount = try await native.prepare("copied", above: layers)
      #expect(mount.isPlain && mount.upper == "\(root)/snapshots/copied/fs")
      #expect(try native.mount("copied", above: layers) == mount)
      #expect(try TreeListing("\(root)/snapshots/copied/fs").differences(from: expected) == [])
      #expect(expected.lines["var/cache/a"] == nil && expected.lines["usr/link"] != nil)

      let usage = try await native.usage("copied")
      let du = try await Command.run("/usr/bin/du", ["-s", "--block-size=1", "\(root)/snapshots/copied/fs"], timeout: .seconds(10))
      #expect(String(decoding: du.stdout, as: UTF8.self).hasPrefix("\(usage.bytes)\t"))
      #expect(usage.bytes < 3 << 20, "holes stay holes")
      #expect(try native.list() == ["copied", "shown"])
      try await native.remove("copied")
      #expect(try native.list() == ["shown"])
    }
  }

  @Test func `nothing is left of a copy that fails`() async throws {
    try await withScratch { root in
      let native = NativeSnapshots(root: root, base: try OverlaySnapshots(root: root))
      await #expect(throws: Fault.self) { try await native.prepare("broken", above: [LayerID(Digest.sha256(of: [1]))]) }
      #expect(try native.list() == [])
      let layers = [try await layer(root, "one", "echo 1 >1")]
      _ = try await native.prepare("taken", above: layers)
      let fault = await #expect(throws: Fault.self) { try await native.prepare("taken", above: layers) }
      #expect(fault?.code == .alreadyExists)
      #expect(try native.list() == ["taken"])
    }
  }

  @Test func `whether overlayfs can be used is found out, and leaves nothing`() throws {
    try withScratch { root in
      #expect(Mounts.overlayProblem(root) == nil)
      let left = try Files.list(root)
      #expect(left == [])
      #expect(Mounts.overlayProblem("/proc/sys") != nil)
    }
  }
}
