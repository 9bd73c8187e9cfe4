import SwiftProtobuf

extension Console {
  /// A message in protobuf's own JSON mapping, on one line.
  func print(json message: some Message) throws {
    do { print(try message.jsonString()) } catch { throw Failure("JSON: \(error)") }
  }
}
