import Support
import Testing

/// Stacks of layers, each with something that applying a layer in isolation cannot know.
enum LayerShapes {
  struct Shape: Sendable, CustomTestStringConvertible {
    let name: String
    let make: @Sendable () -> [[Tar.Entry]]
    var testDescription: String { name }

    init(_ name: String, _ make: @escaping @Sendable () -> [[Tar.Entry]]) {
      self.name = name
      self.make = make
    }
  }

  /// What most shapes stand on.
  static let base: [Tar.Entry] = [
    .directory("etc").mode(0o751).owned(3, 4), .file("etc/passwd", "root"), .file("etc/group", "wheel"),
    .directory("usr"), .directory("usr/lib").owned(7, 8).mode(0o2775), .file("usr/lib/libc.so", "libc"),
    .directory("usr/lib/deep").mode(0o700), .file("usr/lib/deep/x", "x"),
    .symlink("lib", "usr/lib"), .symlink("abs", "/usr/lib"), .symlink("up", "usr/../etc"),
    .directory("var"), .directory("var/cache"), .file("var/cache/a", "a"), .file("var/cache/b", "b"),
    .directory("var/cache/sub"), .file("var/cache/sub/c", "c"),
  ]

  static let all: [Shape] = parents + links + whiteouts + replacements + contents

  static let parents: [Shape] = [
    Shape("implied parents take the metadata of the directories below") {
      [base, [.file("usr/lib/deep/new", "n"), .file("etc/new", "n")]]
    },
    Shape("implied parents that are nowhere") { [base, [.file("opt/a/b/c", "c"), .file("opt/a/d", "d")]] },
    Shape("implied parents in the lowest layer") { [[.file("a/b/c", "c")], [.file("a/b/d", "d")]] },
    Shape("a parent described after what is in it") { [base, [.file("etc/late", "l"), .directory("etc").mode(0o711).owned(9, 9)]] },
    Shape("entries below a symlink") { [base, [.file("lib/new", "n"), .file("lib/libc.so", "changed")]] },
    Shape("entries below an absolute symlink") { [base, [.directory("abs/dir"), .file("abs/dir/f", "f")]] },
    Shape("entries below a symlink that goes up") { [base, [.file("up/new", "n")]] },
    Shape("the same file by both ways, the later one wins") {
      [base, [.file("lib/one", "first"), .file("usr/lib/one", "second"), .file("usr/lib/two", "first"), .file("lib/two", "second")]]
    },
    Shape("a symlink below whose target is a symlink further below") {
      [base, [.symlink("lib64", "lib")], [.file("lib64/new", "n"), .whiteout("lib64/libc.so")]]
    },
    Shape("a symlink of the layer itself") { [base, [.symlink("s", "etc"), .file("s/new", "n")]] },
    Shape("a directory described where a symlink is below") { [base, [.directory("lib"), .file("lib/new", "n")]] },
    Shape("first through the symlink, then in place of it") {
      [base, [.file("lib/before", "b"), .directory("lib"), .file("lib/after", "a")]]
    },
  ]

  /// As a Mac writes it: an e and an accent. Too long for a plain header.
  private static let decomposed = "e\u{301}" + String(repeating: "x", count: 120)

  static let links: [Shape] = [
    Shape("names that are not in Unicode's composed form") {
      [
        [.file(decomposed, "n"), .link("hard", decomposed), .symlink("soft", decomposed)],
        [.file("e\u{301}", "short"), .whiteout(decomposed)],
      ]
    },
    Shape("such names in headers of nearly a megabyte, and behind large files") {
      let large = Tar.Entry.file("1" + decomposed, "n").with { $0.pax = [("comment", String(repeating: "c", count: 900_000))] }
      let file = Tar.Entry.file("2" + decomposed, String(repeating: "content", count: 300_000))
      return [[large, file, .file("3" + decomposed, "n"), large.with { $0.path = "4" + decomposed }, .file("5" + decomposed, "")]]
    },
    Shape("a hard link to a file below") { [base, [.link("usr/libc", "usr/lib/libc.so")]] },
    Shape("a hard link to a file below, by a symlink") { [base, [.link("libc", "lib/libc.so")]] },
    Shape("a hard link to a file of the layer, by a symlink below") { [base, [.file("usr/lib/n", "n"), .link("m", "lib/n")]] },
    Shape("hard links to a file below and to each other") {
      [base, [.link("p1", "etc/passwd"), .link("p2", "p1"), .link("etc/p3", "p2")]]
    },
    Shape("a hard link to what the layer then replaces") { [base, [.link("old", "etc/passwd"), .file("etc/passwd", "new")]] },
    Shape("a hard link to a symlink below") { [base, [.link("lib2", "lib")]] },
    Shape("a hard link with a leading slash and dots") { [base, [.link("./x", "/etc/./passwd")]] },
    Shape("hard links across directories of one layer") {
      [base, [.directory("n"), .file("n/a", "a"), .link("etc/a", "n/a"), .link("b", "etc/a")]]
    },
  ]

  static let whiteouts: [Shape] = [
    Shape("a file is gone") { [base, [.whiteout("etc/passwd")]] },
    Shape("a directory is gone") { [base, [.whiteout("var/cache")]] },
    Shape("a symlink is gone, not its target") { [base, [.whiteout("lib")]] },
    Shape("what is not there is gone") { [base, [.whiteout("etc/none"), .whiteout("nowhere/none"), .file("etc/x", "x")]] },
    Shape("gone and made again") { [base, [.whiteout("var/cache"), .directory("var/cache"), .file("var/cache/new", "n")]] },
    Shape("made again and gone") { [base, [.directory("var/cache"), .file("var/cache/new", "n"), .whiteout("var/cache")]] },
    Shape("a file is gone and made again") {
      [base, [.whiteout("etc/passwd"), .file("etc/passwd", "new"), .file("etc/group", "g"), .whiteout("etc/group")]]
    },
    Shape("opaque, then entries") { [base, [.directory("var/cache"), .opaque("var/cache"), .file("var/cache/new", "n")]] },
    Shape("entries, then opaque") { [base, [.directory("var/cache"), .file("var/cache/a", "kept"), .opaque("var/cache")]] },
    Shape("opaque above what comes deeper") {
      [base, [.directory("var"), .opaque("var"), .directory("var/cache"), .directory("var/cache/sub"), .file("var/cache/sub/d", "d")]]
    },
    Shape("gone by a symlink") { [base, [.whiteout("lib/libc.so")]] },
    Shape("gone, and back two layers later") { [base, [.whiteout("var/cache")], [.directory("var/cache"), .file("var/cache/z", "z")]] },
    Shape("gone twice") { [base, [.whiteout("var/cache/a")], [.whiteout("var/cache/a"), .whiteout("var/cache")]] },
    Shape("a whiteout in a directory that the layer makes anew") {
      [base, [.directory("fresh"), .whiteout("fresh/none"), .file("fresh/f", "f")]]
    },
    Shape("gone, made again, and something in it gone") {
      [base, [.whiteout("etc"), .directory("etc"), .whiteout("etc/passwd"), .file("etc/new", "n")]]
    },
    Shape("everything is gone") { [base, [.opaque(""), .directory("etc"), .file("etc/only", "o"), .file("new", "n")]] },
  ]

  static let replacements: [Shape] = [
    Shape("a directory becomes a file") { [base, [.file("var/cache", "file")]] },
    Shape("a directory becomes a symlink") { [base, [.symlink("var/cache", "../etc")], [.file("var/cache/new", "n")]] },
    Shape("a file becomes a directory") { [base, [.directory("etc/passwd"), .file("etc/passwd/x", "x")]] },
    Shape("a file becomes a directory becomes a file") {
      [base, [.directory("etc/passwd"), .file("etc/passwd/x", "x")], [.file("etc/passwd", "again")]]
    },
    Shape("within one layer a file hides the directory below and becomes one") {
      [base, [.file("var/cache", "f"), .directory("var/cache"), .file("var/cache/n", "n")]]
    },
    Shape("within one layer a directory becomes a file") {
      [base, [.directory("d"), .file("d/x", "x"), .directory("d/e"), .file("d", "file")]]
    },
    Shape("the same file twice") { [base, [.file("etc/passwd", "one"), .file("etc/passwd", "two")]] },
    Shape("a directory described twice") {
      [base, [.directory("etc").mode(0o700), .file("etc/n", "n"), .directory("etc").mode(0o755).owned(1, 1)]]
    },
    Shape("a directory's metadata changes, its files stay") {
      [base, [.directory("usr/lib").mode(0o711).owned(20, 20).modified(1_650_000_000)]]
    },
  ]

  static let contents: [Shape] = [
    Shape("set-user-ID, capabilities, attributes") {
      [
        base,
        [
          .file("su", "s").mode(0o6755).owned(0, 5),
          .file("ping", "p").attribute("security.capability", [1, 0, 0, 2, 0, 32] + [UInt8](repeating: 0, count: 14)),
          .directory("etc").attribute("user.dir", [1, 2, 3]).attribute("trusted.x", [0]),
        ],
        [.file("etc/below", "b")],
      ]
    },
    Shape("long names and paths") {
      let deep = (0..<30).map { "directory-number-\($0)" }.joined(separator: "/")
      return [
        base,
        [.file(String(repeating: "n", count: 255), "n"), .file(deep + "/f", "f"), .symlink("l", deep + "/f"), .link("h", deep + "/f")],
      ]
    },
    Shape("names that are no text") {
      [base, [.file("x", "x").with { $0.rawPath = [0x65, 0x74, 0x63, 0x2f, 0xff, 0xfe] }, .file("naïve–☃", "y")]]
    },
    Shape("large numbers and fractions of seconds") {
      [base, [.file("big", "b").owned(4_000_000_000, 5).modified(4_000_000_000, 999_999_999)]]
    },
    Shape("an empty layer") { [base, [], [.file("z", "z")]] },
    Shape("many layers, one file each") { [base] + (1..<40).map { [.file("etc/many/\($0)", "\($0)"), .whiteout("etc/many/\($0 - 1)")] } },
  ]
}
