import Linux
import Support

@testable import berth

/// A console whose output is kept in two files.
struct CapturedConsole: ~Copyable {
  let console: Console
  private let out: FileHandle
  private let errors: FileHandle
  private let directory: String

  init(_ directory: String) throws {
    self.directory = directory
    let out = try FileHandle.open(directory + "/out", Self.append)
    let errors = try FileHandle.open(directory + "/errors", Self.append)
    console = Console(out: out.raw, errors: errors.raw)
    self.out = out
    self.errors = errors
  }

  var output: String { Self.text(directory + "/out") }
  var errorOutput: String { Self.text(directory + "/errors") }

  /// O_RDWR | O_CREAT | O_APPEND
  private static let append: Int32 = 0o2 | 0o100 | 0o2000

  private static func text(_ path: String) -> String { String(decoding: (try? Files.read(path)) ?? [], as: UTF8.self) }
}
