import Core
import FoundationEssentials
import Linux
import Logging
package import OCI

/// That a policy agreed to an image.
package struct ImageApproval: Sendable, Codable, Hashable {
  /// What it was asked about.
  package let name: String
  package let descriptor: Descriptor
  /// The policy as it was then.
  package let policy: String
  /// Seconds since the epoch.
  package let at: Int64
}

/// Asks the policy about images when they come, and again when a container is made of one: a kubelet does not pull what is there, so an image that came
/// before its verifier, or under another one, would never be looked at.
///
/// An approval is kept with the image, for good and over restarts, so that a pod start runs no program: it counts until the policy changes (a verifier was
/// added, replaced or removed), or as long as ``Recheck`` says.
package struct ImageAdmission: Sendable {
  package enum Recheck: Sendable, Hashable {
    /// Containers are made of whatever is on the node.
    case never
    /// When the policy is another one than that which agreed.
    case changed
    /// For every container.
    case always
    /// When the policy changed, or the approval is older than this.
    case after(Duration)
  }

  private struct Question: Hashable, Sendable {
    let name: String
    let digest: Digest
  }

  private let policy: any ImagePolicy
  private let recheck: Recheck
  private let index: ImageIndex
  private let content: any ContentStore
  private let logger: Logger
  private let running = Flights<Question, Nothing, ImageApproval>()

  init(policy: any ImagePolicy, recheck: Recheck, index: ImageIndex, content: any ContentStore, logger: Logger) {
    self.policy = policy
    self.recheck = recheck
    self.index = index
    self.content = content
    self.logger = logger
  }

  /// The same policy for another namespace's images.
  func within(_ index: ImageIndex) -> ImageAdmission {
    ImageAdmission(policy: policy, recheck: recheck, index: index, content: content, logger: logger)
  }

  /// Asks about an image that is to come.
  func admit(_ name: String, _ descriptor: Descriptor) async throws -> ImageApproval {
    let fingerprint = try policy.fingerprint()
    try await policy.check(name, descriptor)
    return ImageApproval(name: name, descriptor: descriptor, policy: fingerprint, at: SystemClock.realtimeNanoseconds() / 1_000_000_000)
  }

  /// Whether a container may be made of an image that is here.
  /// - Parameter name: what the pod calls it; an ID or nothing where it does not say.
  package func recheck(_ image: ImageRecord, _ name: String) async throws {
    if case .never = recheck { return }
    let fingerprint = try stage("image \(image.tags.first ?? "\(image.id)")") { try policy.fingerprint() }
    if fingerprint.isEmpty || isApproved(image, fingerprint) { return }
    let question = Question(name: self.name(of: image, name), digest: image.target)
    try await stage("image \(question.name)") {
      let approval = try await running.join(question) { try await admit(question.name, descriptor(of: image)) }
      try await index.approve(image.id, approval)
      logger.info("image checked again", metadata: ["image": "\(question.name)", "id": "\(image.id)"])
    }
  }

  private func isApproved(_ image: ImageRecord, _ fingerprint: String) -> Bool {
    guard let approval = image.approvals?.last(where: { $0.policy == fingerprint && $0.descriptor.digest == image.target }) else {
      return false
    }
    switch recheck {
    case .never, .changed: return true
    case .always: return false
    case .after(let age):
      let seconds = SystemClock.realtimeNanoseconds() / 1_000_000_000 - approval.at
      return seconds >= 0 && Duration.seconds(seconds) < age
    }
  }

  /// The name that the pod uses, if it is one of the image's; else what was asked about before; else any.
  private func name(of image: ImageRecord, _ wanted: String) -> String {
    if let reference = try? ImageReference(parsing: wanted) {
      let names = [reference.repoTag, reference.digest.map { reference.repoDigest(with: $0) }].compactMap { $0 }
      if let known = names.first(where: { image.tags.contains($0) || image.digests.contains($0) }) { return known }
    }
    return image.approvals?.last?.name ?? image.tags.first ?? image.digests.first ?? "\(image.id)"
  }

  private struct Kind: Decodable {
    let mediaType: String?
    let manifests: [Descriptor]?
  }

  /// What the image's names point at, as far as it is still known.
  private func descriptor(of image: ImageRecord) throws -> Descriptor {
    if let known = image.approvals?.last(where: { $0.descriptor.digest == image.target })?.descriptor { return known }
    let digest = content.contains(image.target) ? image.target : image.manifest
    let bytes = try content.read(digest)
    let kind = try asFault { try JSONDocument.decode(Kind.self, from: bytes, as: "manifest \(digest)") }
    return Descriptor(
      mediaType: kind.mediaType ?? (kind.manifests == nil ? MediaType.ociManifest : MediaType.ociIndex), digest: digest,
      size: Int64(bytes.count))
  }
}
