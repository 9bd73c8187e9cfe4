import GRPC
import Testing

/// The call ends with this code, and its message has all these words.
func expectFault(
  _ code: GRPCStatus.Code, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation, _ call: () async throws -> Void
) async {
  await expectFault(code, words, sourceLocation: sourceLocation, call)
}

/// The same for words of a list.
func expectFault(
  _ code: GRPCStatus.Code, _ words: [String], sourceLocation: SourceLocation = #_sourceLocation, _ call: () async throws -> Void
) async {
  let error = await #expect(throws: GRPCStatus.self, sourceLocation: sourceLocation) { try await call() }
  #expect(error?.code == code, "\(error.map { "\($0)" } ?? "")", sourceLocation: sourceLocation)
  for word in words {
    #expect(error?.message.contains(word) == true, "\(word) is not in: \(error?.message ?? "")", sourceLocation: sourceLocation)
  }
}
