import FoundationEssentials
import SwiftProtobuf

extension Console {
  /// On one line.
  func print(object: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do { print(String(decoding: try encoder.encode(object), as: UTF8.self)) } catch { throw Failure("JSON: \(error)") }
  }

  /// A message in protobuf's own JSON mapping, on one line.
  func print(json message: some Message) throws {
    do { print(try message.jsonString()) } catch { throw Failure("JSON: \(error)") }
  }
}
