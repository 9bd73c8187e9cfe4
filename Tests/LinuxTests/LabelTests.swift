import CLinux
import Linux
import Support
import Testing

/// Any kernel keeps the attribute that an SELinux label is.
struct LabelTests {
  private let label = "system_u:object_r:container_file_t:s0:c1,c2"

  private func label(of path: String) throws -> String? {
    let directory = try Directory.open(Files.parent(of: path))
    let name = String(path.split(separator: "/").last ?? "")
    return try directory.attributes(RawName(name))["security.selinux"].map { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }

  @Test func `a directory is labelled with all below it, symlinks themselves and not where they lead`() async throws {
    try await withScratch("labels") { scratch in
      let (tree, other) = (scratch + "/tree", scratch + "/other")
      try Files.makeDirectories(tree + "/a/b/c")
      for number in 0..<100 { try Files.write([], to: "\(tree)/a/file-with-a-rather-long-name-\(number)") }
      try Files.makeDirectories(other)
      #expect(symlink(other, tree + "/link") == 0)
      try Files.setLabel(tree + "/a/file-with-a-rather-long-name-7", label)
      _ = try await HostPathChild.run([.label(tree, label)], within: .seconds(20))
      let paths = ["/a/b/c", "/link"] + (0..<100).map { "/a/file-with-a-rather-long-name-\($0)" }
      for path in paths { #expect(try label(of: tree + path) == label, "\(path)") }
      #expect(try label(of: tree) == label && label(of: other) == nil)
    }
  }

  @Test func `what knows no labels is left alone, what is not there is named`() async throws {
    _ = try await HostPathChild.run([.label("/proc/self/status", label)], within: .seconds(20))
    let error = await #expect(throws: SystemError.self) {
      _ = try await HostPathChild.run([.label("/no/such/volume", label)], within: .seconds(20))
    }
    #expect(error?.object == "/no/such/volume")
  }

  @Test func `where labels are taken on trust, a tree whose top has the right one is left alone`() async throws {
    try await withScratch("labels") { scratch in
      let tree = scratch + "/tree"
      try Files.makeDirectories(tree + "/inner")
      try Files.setLabel(tree, label)
      _ = try await HostPathChild.run([.labelUnlessThere(tree, label)], within: .seconds(20))
      #expect(try label(of: tree + "/inner") == nil)
      try Files.setLabel(tree, label + ",c3")
      _ = try await HostPathChild.run([.labelUnlessThere(tree, label)], within: .seconds(20))
      #expect(try label(of: tree) == label && label(of: tree + "/inner") == label)
    }
  }
}
