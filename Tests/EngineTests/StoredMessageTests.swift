import CRIAPI
import FoundationEssentials
import SwiftProtobuf
import Testing

@testable import Engine

@Suite struct StoredMessageTests {
  private typealias Stored = StoredMessage<Runtime_V1_PodSandboxMetadata>

  @Test func `A message comes back as it was`() throws {
    let stored = Stored(.with { $0.name = "a \"pod\"" })
    #expect(try JSONDecoder().decode(Stored.self, from: JSONEncoder().encode(stored)) == stored)
  }

  @Test func `What a newer daemon wrote can be read by an older one`() throws {
    let json = #""{\"name\":\"pod\",\"fieldOfTheFuture\":{\"a\":[1]}}""#
    #expect(try JSONDecoder().decode(Stored.self, from: Data(json.utf8)).content.name == "pod")
  }
}
