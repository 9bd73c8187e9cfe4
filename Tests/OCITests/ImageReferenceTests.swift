import OCI
import Testing

struct ImageReferenceTests {
  static let hex = String(repeating: "0a", count: 32)

  @Test(arguments: [
    ("busybox", "docker.io/library/busybox:latest"),
    ("busybox:1.36", "docker.io/library/busybox:1.36"),
    ("grafana/grafana", "docker.io/grafana/grafana:latest"),
    ("index.docker.io/busybox", "docker.io/library/busybox:latest"),
    ("docker.io/busybox", "docker.io/library/busybox:latest"),
    ("docker.io/library/busybox", "docker.io/library/busybox:latest"),
    ("localhost/app", "localhost/app:latest"),
    ("localhost:5000/app:v1", "localhost:5000/app:v1"),
    ("registry.k8s.io/pause:3.9", "registry.k8s.io/pause:3.9"),
    ("127.0.0.1:5000/a/b/c", "127.0.0.1:5000/a/b/c:latest"),
    ("[::1]:5000/app", "[::1]:5000/app:latest"),
    ("Host/app", "Host/app:latest"),
    ("busybox@sha256:" + hex, "docker.io/library/busybox@sha256:" + hex),
    ("quay.io/a/b:t@sha256:" + hex, "quay.io/a/b:t@sha256:" + hex),
    ("a__b/c--d.e_f", "docker.io/a__b/c--d.e_f:latest"),
  ])
  func aNameIsMadeWholeAsDockerHubDoes(text: String, canonical: String) throws {
    let reference = try ImageReference(parsing: text)
    #expect(reference.description == canonical)
    #expect(try ImageReference(parsing: reference.description) == reference)
  }

  @Test(arguments: [
    ("", "it is empty"),
    ("Busybox", "lower-case"),
    ("docker.io/Library/x", "lower-case"),
    (hex, "image ID"),
    ("busybox:", "\"\" is no tag"),
    ("busybox:-a", "is no tag"),
    ("busybox:" + String(repeating: "a", count: 129), "is no tag"),
    ("busybox@sha256:beef", "is no digest"),
    ("busybox@", "is no digest"),
    ("busybox@md5:" + hex, "is no digest"),
    ("a//b", "empty part"),
    ("a/b/", "empty part"),
    ("a___b", "is no repository name part"),
    ("a..b", "is no repository name part"),
    ("-a", "is no repository name part"),
    ("a b", "is no repository name part"),
    ("host.io:port/a", "is no registry host"),
    ("host.io:0/a", "is no registry host"),
    ("-h.io/a", "is no registry host"),
    ("[::1/a", "is no registry host"),
    ("a/" + String(repeating: "b", count: 255), "at most 255"),
    ("bücher", "is no repository name part"),
  ])
  func whatIsNoReferenceIsRefusedWithTheReason(text: String, reason: String) throws {
    let error = #expect(throws: ReferenceError.self) { try ImageReference(parsing: text) }
    #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
  }

  @Test func aReferenceRendersTagAndDigestForm() throws {
    let digest = try #require(Digest("sha256:" + Self.hex))
    let tagged = try ImageReference(parsing: "busybox")
    #expect(tagged.repoTag == "docker.io/library/busybox:latest")
    #expect(tagged.repoDigest(with: digest) == "docker.io/library/busybox@\(digest)")
    #expect(tagged.manifestName == "latest")
    let pinned = try ImageReference(parsing: "busybox@\(digest)")
    #expect(pinned.repoTag == nil)
    #expect(pinned.manifestName == digest.description)
  }
}
