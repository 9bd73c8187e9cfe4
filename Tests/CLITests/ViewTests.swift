import CRIAPI
import SwiftProtobuf
import Testing

@testable import berth

@Suite struct ViewTests {
  @Test func columnsAreAsWideAsTheirWidestCell() {
    let table = Table("ID", "NAME", rows: [["1", "web"], ["12345", ""]])
    #expect(table.text == "ID      NAME\n1       web\n12345")
  }

  @Test(arguments: [
    (0, "0 B"), (999, "999 B"), (1000, "1.00 kB"), (12_340_000, "12.3 MB"), (999_600, "1.00 MB"), (5_000_000_000, "5.00 GB"),
  ])
  func sizesHaveThreeDigits(bytes: UInt64, text: String) { #expect(Short.size(bytes) == text) }

  @Test(arguments: [(0, "0s"), (119, "119s"), (120, "2m"), (7200, "2h"), (172_800, "2d")])
  func agesUseTheLargestUnitThatFits(seconds: Int64, text: String) {
    #expect(Short.age(of: 1_000_000_000, now: (seconds + 1) * 1_000_000_000) == text)
  }

  @Test func aMomentThatNeverWasHasNoAge() { #expect(Short.age(of: 0, now: 1) == "-") }

  @Test func identifiersAreCutAndLoseTheirAlgorithm() {
    #expect(Short.id("sha256:0123456789abcdef") == "0123456789abc")
    #expect(Short.id("") == "")
  }

  @Test func podsAreListedNewestFirst() {
    let pods: [Runtime_V1_PodSandbox] = ["old", "new"].enumerated().map { index, name in
      .with {
        ($0.id, $0.createdAt, $0.state) = (name + "0000000000000000", Int64(index + 1) * 1_000_000_000, .sandboxReady)
        ($0.metadata.name, $0.metadata.namespace) = (name, "default")
      }
    }
    let table = Listings.pods(pods, now: 3_000_000_000)
    #expect(table.rows[0] == ["new0000000000", "1s", "Ready", "new", "default", "0", "(default)"])
    #expect(table.rows[1][3] == "old")
  }

  @Test func imagesHaveARowForEachTag() {
    let image = Runtime_V1_Image.with {
      ($0.id, $0.size) = ("sha256:00112233445566778899", 4_200_000)
      $0.repoTags = ["localhost:5000/app:1", "localhost:5000/app:2"]
      $0.repoDigests = ["localhost:5000/app@sha256:aa", "example.com/app@sha256:bb"]
    }
    #expect(
      Listings.images([image], digests: true).rows == [
        ["example.com/app", "<none>", "bb", "0011223344556", "4.20 MB"],
        ["localhost:5000/app", "1", "aa", "0011223344556", "4.20 MB"],
        ["localhost:5000/app", "2", "aa", "0011223344556", "4.20 MB"],
      ])
  }

  @Test func anImageWithoutAnyNameIsListed() {
    #expect(Listings.images([.with { $0.id = "sha256:aa" }]).rows == [["<none>", "<none>", "aa", "0 B"]])
  }

  @Test func theStatusPageSaysWhyAConditionIsFalse() {
    let status = Runtime_V1_StatusResponse.with {
      $0.status.conditions = [.with { ($0.type, $0.status, $0.reason, $0.message) = ("NetworkReady", false, "NoNetwork", "no conf") }]
      $0.runtimeHandlers = [.with { $0.features.userNamespaces = true }]
    }
    let view = InfoView(
      version: .with { ($0.runtimeName, $0.runtimeVersion) = ("berth", "1") }, status: status, filesystems: .init(), address: "/s")
    #expect(view.lines == ["berth 1 on /s", "✗ NetworkReady: NoNetwork: no conf", "runtime  (default)  user namespaces"])
  }
}
