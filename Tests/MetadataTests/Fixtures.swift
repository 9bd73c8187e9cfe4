import Core
import Linux
import Logging
import Support

func record(_ id: String, _ json: String = #"{"padding":"0123456789012345678901234567890123456789"}"#) -> StoredRecord {
  StoredRecord(id: id, json: Array(json.utf8))
}

let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Changes bytes in the middle of a file, as a failing disk does.
func scribble(_ path: String, at offset: Int, _ bytes: [UInt8]) throws {
  var content = try Files.read(path)
  for (index, byte) in bytes.enumerated() where offset + index < content.count { content[offset + index] = byte }
  try Files.write(content, to: path)
}
