import Core
import OCI

/// The list of those that name a manifest as their subject, as it stands under the subject's tag in registries without the referrers interface
/// (OCI distribution specification 1.1, "Pushing Manifests with Subject"). What others have written into it stays as it is.
struct ReferrersIndex {
  private var document: JSON
  private var entries: [JSON]

  /// Of no referrers yet.
  init() {
    document = ["schemaVersion": 2, "mediaType": .string(MediaType.ociIndex)]
    entries = []
  }

  /// FAILED_PRECONDITION where the tag leads to something else.
  init(parsing bytes: [UInt8], mediaType: String) throws(Fault) {
    do {
      _ = try ImageDocument.referrers(bytes, mediaType: mediaType)
      document = try JSON(parsing: bytes)
    } catch {
      throw Fault(.failedPrecondition, "what its referrers' tag leads to is no list of referrers, and is left as it is: \(error)")
    }
    entries = document["manifests"]?.array ?? []
  }

  func contains(_ digest: Digest) -> Bool { entries.contains { $0["digest"]?.string == digest.description } }

  mutating func add(_ referrer: Referrer) { entries.append(referrer.descriptor) }

  var bytes: [UInt8] { document.setting("manifests", .array(entries)).bytes }
}

/// A manifest or index that names another one as its subject.
struct Referrer {
  let subject: Digest
  let digest: Digest
  /// As its subject's list has it: with its artifact type and all of its annotations.
  let descriptor: JSON

  /// `nil` where it has no subject.
  init?(_ document: ManifestDocument) {
    guard let json = try? JSON(parsing: document.bytes), let text = json["subject"]?["digest"]?.string, let subject = Digest(text) else {
      return nil
    }
    self.subject = subject
    digest = document.digest
    var descriptor: JSON = [
      "mediaType": .string(document.mediaType), "digest": .string(digest.description), "size": .number("\(document.bytes.count)"),
    ]
    if let type = Self.artifactType(json) { descriptor = descriptor.setting("artifactType", .string(type)) }
    if let annotations = json["annotations"], annotations.members != nil { descriptor = descriptor.setting("annotations", annotations) }
    self.descriptor = descriptor
  }

  /// Its own, else what its configuration is; an index has no configuration.
  private static func artifactType(_ json: JSON) -> String? {
    [json["artifactType"]?.string, json["config"]?["mediaType"]?.string].compactMap { $0 }.first { !$0.isEmpty }
  }
}
