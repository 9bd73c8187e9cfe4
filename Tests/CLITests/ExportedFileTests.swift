import Linux
import Support
import Testing

@testable import berth

@Suite struct ExportedFileTests {
  @Test func `A file gets its name when it is whole`() throws {
    try withScratch { directory in
      let path = directory + "/images.tar"
      try Files.write("before", to: path)
      let file = try ExportedFile(path)
      try file.write([1, 2, 3])
      #expect(try Files.read(path) == Array("before".utf8))
      try file.finish()
      #expect(try Files.read(path) == [1, 2, 3])
      #expect(try Files.list(directory) == ["images.tar"])
    }
  }

  @Test func `A device is written to, not replaced`() throws {
    let file = try ExportedFile("/dev/null")
    try file.write([1, 2, 3])
    try file.finish()
    #expect(!Files.exists("/dev/null.part"))
    #expect(try Directory.open("/dev").status("null")?.type == .characterDevice)
  }
}
