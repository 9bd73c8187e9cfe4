import Content
import Core
import Linux
import OCI
import Support
import Testing

@Suite struct BlobDirectoryTests {
  private let bytes = Array("content".utf8)

  @Test(arguments: [Digest.Algorithm.sha256, .sha512]) func whatWasWrittenIsRead(_ algorithm: Digest.Algorithm) async throws {
    try await withScratch { root in
      let store = try BlobDirectory(root: root)
      let digest = Digest.of(bytes, algorithm)
      #expect(!store.contains(digest))
      try await store.write(bytes, as: digest)
      try await store.write(bytes, as: digest)
      #expect(try store.read(digest) == bytes)
      #expect(try store.list() == [digest])
      #expect(try Files.list("\(root)/content/ingest") == [])
      try store.remove(digest)
      try store.remove(digest)
      let fault = #expect(throws: Fault.self) { try store.read(digest) }
      #expect(fault?.code == .notFound)
    }
  }

  @Test func bytesThatDoNotMatchAreNeitherTakenNorGiven() async throws {
    try await withScratch { root in
      let store = try BlobDirectory(root: root)
      let digest = Digest.sha256(of: bytes)
      let refused = await #expect(throws: Fault.self) { try await store.write([1, 2, 3], as: digest) }
      #expect(refused?.code == .invalidArgument)
      #expect(!store.contains(digest))
      try await store.write(bytes, as: digest)
      try Files.write("Content", to: "\(root)/content/sha256/\(digest.hex)")
      let damaged = #expect(throws: Fault.self) { try store.read(digest) }
      #expect(damaged?.code == .dataLoss)
    }
  }

  @Test func leftoversOfAnInterruptedWriteAreRemoved() throws {
    try withScratch { root in
      try Files.makeDirectories("\(root)/content/ingest")
      try Files.write("half", to: "\(root)/content/ingest/left")
      _ = try BlobDirectory(root: root)
      #expect(try Files.list("\(root)/content/ingest") == [])
    }
  }
}
