import OCI
import Testing

@testable import Engine

@Suite struct PullProgressTests {
  @Test func `sizes that no blob has are summed up all the same`() {
    let progress = PullProgress()
    let digest = Digest.sha256(of: [])
    let layers = (0..<3).map { _ in Descriptor(mediaType: "", digest: digest, size: .max) }
    progress.begin(.init(reference: "localhost/a", manifest: digest), layers)
    for layer in 0..<2 { progress.stands(layer, at: .max) }
    #expect(progress.summary == "0 of 3 layers, 9223372036854 of 9223372036854 MB")
    #expect(progress.received == .max)
    progress.set(0, .present)
    #expect(progress.summary.hasPrefix("1 of 3 layers"))
  }
}
