import CRIAPI
import Core
import OCI
import Spec
import Testing

struct UserSpecTests {
  private func user(_ change: (inout SpecInputs) -> Void) throws(Fault) -> RuntimeSpec.User { try SpecFixture.build(change).process.user }

  @Test func nobodyNamedIsRootWithRootsGroups() throws {
    #expect(try user { _ in } == RuntimeSpec.User(uid: 0, gid: 0, additionalGids: [0, 10]))
  }

  @Test func aNumberTakesItsGroupFromTheImageOrZero() throws {
    #expect(try user { $0.runAs(1000) } == RuntimeSpec.User(uid: 1000, gid: 1001, additionalGids: [1001, 10, 29]))
    #expect(try user { $0.runAs(4711) } == RuntimeSpec.User(uid: 4711, gid: 0, additionalGids: [0]))
    #expect(try user { $0.runAs(1000, 50) } == RuntimeSpec.User(uid: 1000, gid: 50, additionalGids: [50, 10, 29]))
  }

  @Test func theImagesUserCountsWhereTheCRINamesNone() throws {
    #expect(try user { $0.image.config.user = "app" }.uid == 1000)
    #expect(try user { $0.image.config.user = "app:nobody" }.gid == 65534)
    #expect(try user { $0.image.config.user = "7:8" } == RuntimeSpec.User(uid: 7, gid: 8, additionalGids: [8]))
    #expect(
      try user {
        $0.image.config.user = "7:8"
        $0.runAs(1000)
      }.gid == 1001)
    #expect(try user { $0.securityContext.runAsUsername = "app" }.uid == 1000)
  }

  @Test func strictPolicyIgnoresTheImagesMemberships() throws {
    let strict = try user {
      $0.runAs(1000)
      $0.securityContext.supplementalGroupsPolicy = .strict
      $0.securityContext.supplementalGroups = [5, 4, 5]
    }
    #expect(strict.additionalGids == [1001, 4, 5])
    let merged = try user {
      $0.runAs(1000)
      $0.securityContext.supplementalGroups = [20]
    }
    #expect(merged.additionalGids == [1001, 10, 20, 29])
  }

  @Test func whoIsNotInTheImageIsNamed() {
    #expect(
      SpecFixture.fault { $0.securityContext.runAsUsername = "bob" }
        == (.invalidArgument, "run_as_username: user \"bob\" is not in /etc/passwd of the image"))
    #expect(
      SpecFixture.fault { $0.image.config.user = "app:staff" }.message
        == "the image's user: group \"staff\" is not in /etc/group of the image")
    #expect(SpecFixture.fault { $0.runAs(nil, 5) }.message == "run_as_group: a group (5) without a user")
    #expect(SpecFixture.fault { $0.runAs(-1) }.message.contains("-1 is no user or group ID"))
    #expect(SpecFixture.fault { $0.image.config.user = "4294967296" }.message.contains("4294967296 is no user or group ID"))
  }

  @Test func anImageWithoutAccountsRunsByNumber() throws {
    #expect(
      try user {
        $0.lookups.imageFile = { _ in nil }
        $0.runAs(12)
      } == RuntimeSpec.User(uid: 12, gid: 0, additionalGids: [0]))
  }
}
