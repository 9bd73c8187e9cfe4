import ArgumentParser
import BerthAPI
import Linux
import SwiftProtobuf

struct ExportImages: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write images to an archive.",
    discussion: """
      One tar for all of them: an OCI layout, which docker can load too. Layers that were
      not kept on this node (images.keep_layer_blobs) are fetched again from where the
      image came from.

      Examples:
        berth images export busybox nginx -o images.tar
        berth images export busybox -o - | ssh node2 'cat > b.tar && berth import b.tar'
        berth images export --platform linux/arm64 nginx -o nginx-arm64.tar
      """)

  @OptionGroup var server: ImageStoreOptions
  @Option(name: .shortAndLong, help: ArgumentHelp("The archive; - for standard output.", valueName: "file"), completion: .file())
  var output: String
  @Option(help: ArgumentHelp("This platform's manifest only.", valueName: "os/arch")) var platform: String = ""
  @Flag(help: "Indexes with the manifests of all platforms.") var allPlatforms = false
  @Flag(help: "Print JSON.") var json = false
  @Argument(help: "Names or IDs.") var images: [String]

  func validate() throws {
    if images.isEmpty { throw ValidationError("name an image") }
    if output == "-", json { throw ValidationError("--json has nowhere to go: the archive is on standard output") }
  }

  func run() async throws {
    if output == "-", Terminal.columns(of: Console.standard.out) != nil {
      throw Failure("export: a terminal is no place for an archive; name a file, or redirect standard output")
    }
    let request = Berth_V1_ExportRequest.with {
      $0.images = images
      $0.platform = platform
      $0.allPlatforms = allPlatforms
    }
    let file = try ExportedFile(output)
    do {
      try await server.withRuntime { runtime in try await runtime.export(request) { try file.write(Array($0.data)) } }
      try file.finish()
    } catch {
      file.discard()
      throw error
    }
    try report(file.bytes)
  }

  /// What `--json` prints.
  private struct Exported: Encodable {
    let path: String
    let bytes: UInt64
    let images: [String]
  }

  private func report(_ bytes: UInt64) throws {
    if json { return try Console.standard.print(object: Exported(path: output, bytes: bytes, images: images)) }
    Console.standard.note("\(output == "-" ? "" : "\(output): ")\(images.count) image\(images.count == 1 ? "" : "s"), \(Short.size(bytes))")
  }
}

/// An archive being written: it gets its name when it is whole. What is no regular file (a device, a FIFO) is written to as it is.
final class ExportedFile {
  private let path: String
  private let temporary: String
  /// Closed by ``finish()`` where the file is replaced; other ones are open as long as the command runs.
  private let descriptor: Int32
  private let isReplaced: Bool
  private(set) var bytes: UInt64 = 0

  init(_ path: String) throws {
    self.path = path
    temporary = path + ".part"
    isReplaced = try path != "-" && Self.isReplaceable(path)
    if path == "-" {
      descriptor = Console.standard.out
    } else if !isReplaced {
      descriptor = try FileHandle.forWriting(path).release()
    } else {
      // Of an export that was killed.
      try Files.remove(temporary)
      descriptor = try FileHandle.create(temporary, mode: 0o644).release()
    }
  }

  private static func isReplaceable(_ path: String) throws -> Bool {
    let name = path.utf8.split(separator: UInt8(ascii: "/")).last.flatMap { String($0) } ?? path
    let status = try Directory.open(Files.parent(of: path)).status(RawName(name))
    return status == nil || status?.type == .regular
  }

  func write(_ piece: [UInt8]) throws {
    try Files.write(piece, to: descriptor, path)
    bytes += UInt64(piece.count)
  }

  func finish() throws {
    guard isReplaced else { return }
    try FileHandle(owning: descriptor).sync()
    try Files.place(temporary, at: path)
  }

  func discard() { if isReplaced { try? Files.remove(temporary) } }
}
