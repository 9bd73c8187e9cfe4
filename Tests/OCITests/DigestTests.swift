import OCI
import Testing

struct DigestTests {
  static let abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

  @Test func theDigestOfAKnownTextIsTheKnownOne() {
    #expect(Digest.sha256(of: Array("abc".utf8)).description == Self.abc)
    #expect(Digest.sha256(of: []).hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(Digest.of(Array("abc".utf8), .sha512).hex.hasPrefix("ddaf35a193617abacc417349ae204131"))
  }

  @Test func hashingInPiecesGivesTheSameDigestAndTheHasherStartsAnew() {
    var hasher = ContentHasher()
    hasher.update(Array("a".utf8))
    hasher.update(Array("xbc".utf8)[1...])
    #expect(hasher.finish().description == Self.abc)
    hasher.update(Array("abc".utf8))
    #expect(hasher.finish().description == Self.abc)
  }

  @Test func onlyRegisteredAlgorithmsAndLowerCaseHexAreDigests() {
    #expect(Digest(Self.abc) != nil)
    #expect(Digest(Self.abc.uppercased()) == nil)
    #expect(Digest("sha256:abc") == nil)
    #expect(Digest("md5:900150983cd24fb0d6963f7d28e17f72") == nil)
    #expect(Digest(Self.abc)?.matches(Array("abc".utf8)) == true)
    #expect(Digest(Self.abc)?.matches(Array("abd".utf8)) == false)
  }

  @Test func theChainIDFollowsTheImageSpecification() throws {
    let first = Digest.sha256(of: [1])
    let second = Digest.sha256(of: [2])
    #expect(ChainID.compute([]) == nil)
    #expect(ChainID.compute([first]) == first)
    #expect(ChainID.chain([first, second]) == [first, Digest.sha256(of: Array("\(first) \(second)".utf8))])
  }
}
