import ArgumentParser
import BerthAPI
import SwiftProtobuf
import Testing

@testable import berth

@Suite struct ImageViewTests {
  @Test func `a whole image is one line, a damaged one says what differs`() {
    let whole = Berth_V1_VerifiedImage.with {
      $0.id = "sha256:aa"
      $0.references = ["localhost/a:1", "localhost/a@sha256:bb"]
      $0.layers = [.with { $0.id = "sha256:cc" }]
      $0.whole = true
    }
    #expect(ImageViews.lines(whole) == ["localhost/a:1: whole, 1 layers"])
    var damaged = whole
    damaged.whole = false
    damaged.layers[0].findings = ["etc/x: is missing"]
    damaged.layers[0].failure = "container c uses it"
    #expect(
      ImageViews.lines(damaged) == [
        "localhost/a:1: DAMAGED, 1 layers", "  layer cc: 1 differences", "    etc/x: is missing", "    not repaired: container c uses it",
      ])
  }

  @Test func `usage has a row for each image`() {
    let answer = Berth_V1_DiskUsageResponse.with {
      $0.images = [
        .with {
          $0.id = "sha256:aa"
          $0.references = ["localhost/a@sha256:bb"]
          ($0.bytes, $0.sharedBytes, $0.containers) = (2000, 1000, 3)
        }
      ]
    }
    #expect(ImageViews.usage(answer).rows == [["localhost/a@sha256:bb", "aa", "2.00 kB", "1.00 kB", "3"]])
  }

  @Test func `an explanation names hosts in their order, with who asks and why`() {
    let answer = Berth_V1_ExplainRegistryResponse.with {
      $0.reference = "docker.io/library/a:1"
      $0.endpoints = [
        .with {
          $0.url = "https://mirror.example/v2"
          $0.capabilities = ["pull"]
          ($0.reason, $0.credentials, $0.proxy) = ("it lacks the capability resolve", "anonymous", "http://p.example:3128")
        }
      ]
    }
    #expect(
      ImageViews.lines(answer) == [
        "docker.io/library/a:1", "1. https://mirror.example/v2  (pull)", "   not asked: it lacks the capability resolve",
        "   as: anonymous",
        "   by: http://p.example:3128",
      ])
    #expect(ImageViews.lines(.with { $0.reference = "x" }) == ["x", "no host may be asked"])
  }

  @Test(arguments: [
    ["images"], ["images", "busybox"], ["images", "ls", "--json"], ["images", "verify", "--repair", "a"], ["images", "rm", "a"],
    ["images", "prune", "-d"], ["images", "du"], ["images", "tag", "a", "b"], ["images", "pull", "a"], ["pulls"],
    ["registry", "explain", "--try", "a"],
  ])
  func `the command line is understood`(arguments: [String]) throws {
    #expect(throws: Never.self) { try Berth.parseAsRoot(arguments) }
  }
}
