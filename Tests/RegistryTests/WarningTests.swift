import Core
import NIOCore
import OCI
import Support
import Testing

@testable import Registry

/// What registries want operators to know (distribution specification, "Warnings").
@Suite(.serialized) struct WarningTests {
  @Test func `a registry's warning is told once, whatever it was asked, and another one is told too`() async throws {
    let (image, journal) = (SampleImage(layerSize: 1000), Journal())
    try await withHostileServer { request in
      let text = request.method == "PUT" ? "no pushes from monday on" : "this \\\"image\\\" goes\taway"
      let headers = ["Content-Type": MediaType.ociManifest, "Warning": "299 - \"\(text)\""]
      if request.method == "PUT" { return .response(201, headers) }
      return .response(200, headers, request.path.contains("/blobs/") ? image.layer : image.manifest)
    } _: { server in
      let reference = ImageReference.test(server.authority)
      try await withClient(logger: journal.logger) { client in
        for _ in 0..<2 { _ = try await client.manifest(reference, credentials: nil) }
        _ = try await client.bytes(image.descriptor, of: reference)
        try await client.push(to: reference, credentials: nil, mounting: []).put(
          ManifestDocument(digest: image.digest, mediaType: MediaType.ociManifest, bytes: image.manifest), at: "1")
      }
      let told = journal.messages.filter { $0.hasPrefix("registry warns ") }
      #expect(told.count == 2, "\(told)")
      #expect(told.allSatisfy { $0.contains("http://\(server.authority)") })
      #expect(
        told.first?.contains("this \"image\" goes away") == true && told.last?.contains("no pushes from monday on") == true, "\(told)")
    }
  }

  @Test(arguments: [
    ("299 - \"text\"", "text"), ("299 - \"a \\\"b\\\" c\"", "a \"b\" c"), ("199 - \"text\"", nil), ("299 host \"text\"", nil),
    ("299 - \"\"", nil),
    ("299 - \"", nil), ("299 - text", nil), ("", nil),
  ])
  func `only what is for people is a warning`(header: String, text: String?) {
    #expect(RegistryWarnings.text(header) == text)
  }
}
