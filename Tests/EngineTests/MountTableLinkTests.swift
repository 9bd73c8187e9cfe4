import Core
import Linux
import Support
import Testing

@testable import Engine

@Suite struct MountTableLinkTests {
  /// What is in the writable layer afterwards, above layers (highest first) that hold these files: a path that ends in `/` is a directory, `-` is a
  /// whiteout, `!` an opaque directory.
  private func upper(above layers: [[String]], isPlain: Bool = false) throws -> [String] {
    try withScratch("mtab") { scratch in
      var lower: [String] = []
      for (index, files) in layers.enumerated() {
        let layer = "\(scratch)/\(index)"
        try Files.makeDirectories(layer)
        for file in files { try make(file, in: layer) }
        lower.append(layer)
      }
      let upper = isPlain ? lower[0] : scratch + "/upper"
      try Files.makeDirectories(upper)
      let rootfs = RootfsMount(lower: isPlain ? [] : lower, upper: upper, work: isPlain ? nil : scratch + "/work")
      try MountTableLink(rootfs: rootfs).place()
      let link = upper + "/etc/mtab"
      let names = try Files.list(upper)
      return names.contains("etc") ? [(try? Files.readLink(link)) ?? "no link", "\(String(try Files.mode(upper + "/etc"), radix: 8))"] : []
    }
  }

  private func make(_ file: String, in layer: String) throws {
    let name = file.trimmingPrefix(["-", "!"].contains(file.prefix(1)) ? file.prefix(1) : "")
    let path = "\(layer)/\(name.hasSuffix("/") ? String(name.dropLast()) : String(name))"
    switch file.first {
    case "-": try Directory.open(Files.parent(of: path)).makeWhiteout(RawName(String(path.split(separator: "/").last ?? "")))
    case "!":
      try Files.makeDirectories(path)
      try Directory.open(layer).setAttribute("etc", "trusted.overlay.opaque", Array("y".utf8))
    default:
      if name.hasSuffix("/") { return try Files.makeDirectories(path, mode: 0o750) }
      try Files.write("", to: path)
    }
  }

  @Test func `an image without a mtab gets a link, below an /etc as the image has it`() throws {
    #expect(try upper(above: [["etc/"]]).first == "/proc/mounts")
    #expect(try upper(above: [["x"], ["etc/"], ["y"]]).last?.hasSuffix("750") == true)
    #expect(try upper(above: [["etc/", "-etc/mtab"], ["etc/", "etc/mtab"]]).first == "/proc/mounts")
    #expect(try upper(above: [["!etc"], ["etc/", "etc/mtab"]]).first == "/proc/mounts")
    #expect(try upper(above: [["etc/"]], isPlain: true).first == "/proc/mounts")
  }

  @Test func `one that has it, or has no /etc, is left as it is`() throws {
    #expect(try upper(above: [["etc/"], ["etc/", "etc/mtab"]]) == [])
    #expect(try upper(above: [["x"]]) == [] && upper(above: []) == [])
    #expect(try upper(above: [["-etc"], ["etc/"]]) == [])
    #expect(try upper(above: [["etc"], ["etc/"]]) == [])
    #expect(try upper(above: [["etc/", "etc/mtab"]], isPlain: true).first == "no link")
  }
}
