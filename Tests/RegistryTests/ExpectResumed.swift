import Testing

/// Two requests: from the start, and from where the first connection broke. Bytes that had arrived and were not read when it broke are lost
/// with it and asked for again, so the second may begin lower; never higher, and never at nothing.
func expectResumed(_ offsets: [Int], brokenAt limit: Int, sourceLocation: SourceLocation = #_sourceLocation) {
  #expect(offsets.count == 2 && offsets.first == 0, "\(offsets)", sourceLocation: sourceLocation)
  #expect(offsets.last.map { (1...limit).contains($0) } == true, "\(offsets)", sourceLocation: sourceLocation)
}
