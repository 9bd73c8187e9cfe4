import Linux
import TOMLKit

/// A parsed TOML file that remembers where its keys stand.
///
/// TOMLKit never frees a parsed document (a few kilobytes), so callers that read a file again and again keep what they made of it.
struct Document {
  static let maximumSize = 1 << 20

  let file: String
  let keys: KeyIndex
  private let table: TOMLTable

  init(_ bytes: [UInt8], file: String) throws(SettingsError) {
    guard bytes.count <= Self.maximumSize else {
      throw SettingsError(file, "\(bytes.count) bytes, at most \(Self.maximumSize) are allowed")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw SettingsError(file, "not UTF-8 text") }
    if let zero = bytes.firstIndex(of: 0) {
      throw SettingsError(file, line: 1 + bytes[..<zero].count { $0 == UInt8(ascii: "\n") }, "a NUL character")
    }
    self.file = file
    keys = KeyIndex(bytes)
    if let trap = keys.trap { throw SettingsError(file, line: trap.line, "not TOML: \(trap.reason)") }
    do { table = try TOMLTable(string: text) } catch { throw Self.explain(error, file) }
  }

  /// `nil` where there is no such file.
  static func read(_ path: String) throws(SettingsError) -> Document? {
    let bytes: [UInt8]
    do { bytes = try Files.read(path, limit: maximumSize) } catch {
      if error.number == error.noEntry { return nil }
      throw SettingsError(path, "\(error)")
    }
    return try Document(bytes, file: path)
  }

  var root: TableReader { TableReader(table, of: self, path: []) }

  private static func explain(_ error: any Error, _ file: String) -> SettingsError {
    guard let error = error as? TOMLParseError else { return SettingsError(file, "not TOML: \(error)") }
    return SettingsError(file, line: error.source.begin.line, "not TOML: \(error.description)")
  }
}
