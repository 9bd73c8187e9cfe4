import FoundationEssentials
import Spec
import Testing

@Suite struct GuestImageTests {
  @Test func `kata is told of the image and whose container it is for`() throws {
    let option = try GuestImage.mountOption("registry.example/app:1", annotations: ["io.kubernetes.cri.container-type": "container"])
    let prefix = "io.katacontainers.volume="
    #expect(option.hasPrefix(prefix))
    let volume = try #require(Data(base64Encoded: String(option.dropFirst(prefix.count))))
    #expect(
      String(decoding: volume, as: UTF8.self)
        == #"{"fs_type":"overlay_fs","image_pull":{"metadata":{"io.kubernetes.cri.container-type":"container"}},"#
        + #""source":"registry.example/app:1","volume_type":"image_guest_pull"}"#)
  }
}
