import CRIAPI
import Core
import Engine
import FoundationEssentials
import Linux
import SwiftProtobuf

/// The `info` map of verbose status calls: one key with a JSON object, as crictl inspect prints it. The names that tools look for (`pid`,
/// `config`, `runtimeSpec`, `imageSpec`) are containerd's.
struct VerboseInfo {
  private var members: [(name: String, json: String)] = []

  var map: [String: String] {
    let text = members.map { "\(Self.json($0.name)):\($0.json)" }.joined(separator: ",")
    return ["info": "{\(text)}"]
  }

  /// A value that has no JSON form is left out.
  private mutating func add(_ name: String, _ value: some Encodable) {
    let text = Self.json(value)
    if !text.isEmpty { members.append((name, text)) }
  }

  private mutating func add(_ name: String, message: (some Message)?) {
    if let text = try? message?.jsonString() { members.append((name, text)) }
  }

  /// Bytes that are JSON already.
  private mutating func add(_ name: String, json: [UInt8]?) {
    if let json, !json.isEmpty { members.append((name, String(decoding: json, as: UTF8.self))) }
  }

  private static func json(_ value: some Encodable) -> String {
    (try? JSONEncoder().encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }
}

extension VerboseInfo {
  /// Of system calls that the container's seccomp profile blocks: how often it tried each.
  static func blockedCalls(of record: ContainerRecord) -> String { json(BlockedCalls(bundle: record.plan.bundle).counts()) }

  /// `overhead` and `resources` as they are now: of the config, or of the last UpdatePodSandboxResources.
  /// - Parameter network: by interface, what CNI's plugins told.
  init(_ record: SandboxRecord, network: [(interface: String, result: JSON)]) {
    let linux = record.config.content.linux
    add("id", record.id)
    add("pid", record.holderPID)
    add("state", record.state)
    add("createdAt", record.createdAt)
    add("runtimeHandler", record.runtimeHandler)
    add("addresses", record.addresses)
    add("overhead", message: record.updatedOverhead?.content ?? (linux.hasOverhead ? linux.overhead : nil))
    add("resources", message: record.updatedResources?.content ?? (linux.hasResources ? linux.resources : nil))
    add("config", message: record.config.content)
    add("plan", record.plan)
    add("cniResult", json: JSON.object(network.map { JSON.Member(key: $0.interface, value: $0.result) }).bytes)
  }

  /// `containerdLabels`: those of the image as well; `resources` as they are now; `config` as it was asked for. The runtime's spec is there as long as the container is not removed.
  init(_ record: ContainerRecord) {
    add("id", record.id)
    add("pid", record.pid)
    add("sandboxID", record.sandboxID)
    add("state", record.state)
    add("imageID", "\(record.imageID)")
    add("resources", message: record.resources)
    add("containerdLabels", record.labels)
    if let annotations = record.updateAnnotations { add("updateAnnotations", annotations) }
    add("config", message: record.config.content)
    add("plan", record.plan)
    add("runtimeSpec", json: try? Files.read(record.plan.bundle + "/config.json"))
  }

  /// - Parameter config: the image's configuration, as it was pulled.
  init(_ record: ImageRecord, config: [UInt8]?) {
    add("record", record)
    add("imageSpec", json: config)
  }
}
