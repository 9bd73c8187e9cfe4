import OCI
import Support
import Testing

/// Manifests, indexes and configurations that were damaged at random are read or refused, and never more than that.
@Suite struct RandomDocumentTests {
  private static let digest = "\(Digest.sha256(of: []))"
  private static let documents = [
    #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociManifest)","config":{"mediaType":"\#(MediaType.ociConfig)","digest":"\#(digest)","size":7},"layers":[{"mediaType":"\#(MediaType.ociLayer)","digest":"\#(digest)","size":9,"urls":["https://x/y"]}]}"#,
    #"{"schemaVersion":2,"manifests":[{"mediaType":"\#(MediaType.ociManifest)","digest":"\#(digest)","size":7,"platform":{"os":"linux","architecture":"arm64","variant":"v8"}}]}"#,
    #"{"os":"linux","architecture":"amd64","config":{"Env":["A=b"],"Cmd":["x"],"Volumes":{"/v":{}}},"rootfs":{"type":"layers","diff_ids":["\#(digest)"]}}"#,
  ]
  private static let pieces = [
    "{", "}", "[", "]", "\"", "null", "-1", "1e999", "9223372036854775808", "\\ud800", "\u{0}", ",", ":", "true",
  ]

  @Test(.timeLimit(.minutes(5)), arguments: Load.seeds(from: 1, 3)) func `damage ends in an error or in a document`(seed: UInt64) {
    var numbers = SeededNumbers(seed: seed)
    for round in 0..<2000 {
      let bytes = Self.damaged(Array(Self.documents[round % Self.documents.count].utf8), &numbers)
      if let document = try? ImageDocument.parse(bytes, mediaType: ""), case .index(let index) = document {
        _ = try? index.entry(for: .host)
      }
      _ = try? ImageConfig.parse(bytes)
    }
  }

  @Test(arguments: ["[", #"{"config":"#, #"{"layers":["#, #"{"manifests":[{"platform":"#, #"{"rootfs":{"diff_ids":["#, "-", "1", "\"\\u"])
  func `a document that repeats one thing without end is refused in its time`(piece: String) {
    let bytes = Array(String(repeating: piece, count: (1 << 20) / piece.utf8.count).utf8)
    #expect((try? ImageDocument.parse(bytes, mediaType: "")) == nil)
    #expect((try? ImageConfig.parse(bytes)) == nil)
  }

  private static func damaged(_ bytes: [UInt8], _ numbers: inout SeededNumbers) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...4, using: &numbers) {
      let start = Int.random(in: 0..<bytes.count, using: &numbers)
      switch Int.random(in: 0..<4, using: &numbers) {
      case 0: bytes[start] = UInt8.random(in: 0...255, using: &numbers)
      case 1: bytes.insert(contentsOf: pieces.randomElement(using: &numbers)!.utf8, at: start)
      case 2: bytes.removeSubrange(start..<min(bytes.count, start + 9))
      default: bytes.insert(contentsOf: bytes[start..<min(bytes.count, start + 40)], at: start)
      }
      if bytes.isEmpty { bytes = [0x7b] }
    }
    return bytes
  }
}
