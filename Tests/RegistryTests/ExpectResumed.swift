import Testing

/// Two requests: from the start, and from where the first connection broke. All that had arrived by then is kept.
func expectResumed(_ offsets: [Int], brokenAt limit: Int, sourceLocation: SourceLocation = #_sourceLocation) {
  #expect(offsets.count == 2 && offsets.first == 0, "\(offsets)", sourceLocation: sourceLocation)
  #expect(offsets.last == limit, "\(offsets)", sourceLocation: sourceLocation)
}
