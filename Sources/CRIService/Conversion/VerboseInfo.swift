import Engine
import FoundationEssentials

/// The `info` map of verbose status calls: one key, the record as Berth holds it, as JSON (crictl inspect prints it).
enum VerboseInfo {
  static func of(_ record: some Encodable) -> [String: String] {
    guard let json = try? JSONEncoder().encode(record) else { return [:] }
    return ["info": String(decoding: json, as: UTF8.self)]
  }
}
