import FoundationEssentials

/// Values of metadata whose names end in `-bin`: base64, with or without its padding (gRPC over HTTP/2, "Custom-Metadata").
enum BinaryValue {
  /// `nil` for what is no base64.
  static func decode(_ text: String) -> [UInt8]? {
    let digits = text.prefix { $0 != "=" }
    return Data(base64Encoded: digits + String(repeating: "=", count: (4 - digits.utf8.count % 4) % 4)).map { Array($0) }
  }
}
