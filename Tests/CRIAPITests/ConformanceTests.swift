import CRIAPI
import Linux
import SwiftProtobuf
import Testing

/// Our .proto files against the facts of the CRI v1: names, numbers, types, labels, methods.
@Suite struct ConformanceTests {
  @Test func everyServiceMessageFieldAndEnumIsAsTheCRIHasIt() async throws {
    var ours = Schema(descriptors: try await Project.descriptors())
    #expect(ours["package runtime.v1"] == "proto3")
    ours["package runtime.v1"] = nil
    #expect(ours.differences(from: try Project.facts()) == [])
  }

  @Test func theFactsAreReadWhole() throws {
    let facts = try Project.facts()
    let services = ["RuntimeService", "ImageService"]
    #expect(facts.count { key in services.contains { key.hasPrefix($0 + ".") } } == 43)
    #expect(facts["LinuxContainerSecurityContext/9"] == "apparmor_profile: string deprecated")
    #expect(facts["Signal/SIGNAL_SIGRTMAX"] == "65")
    #expect(facts["PodSandboxConfig/6"] == "labels: map<string,string>")
  }

  /// The comparison itself: any one change to what protoc reads must show.
  @Test(arguments: Change.all) func aChangeShows(_ change: Change) async throws {
    let original = try await Project.descriptors()
    var changed = original
    change.apply(&changed)
    let differences = Schema(descriptors: changed).differences(from: Schema(descriptors: original))
    #expect(Set(differences) == change.expected)
  }
}

/// One way in which a definition could go wrong, done to the file that holds `Mount` and `Protocol`.
struct Change: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let expected: Set<String>
  let apply: @Sendable (inout Google_Protobuf_FileDescriptorSet) -> Void

  private init(_ name: String, _ expected: String..., edit: @escaping @Sendable (inout Google_Protobuf_FileDescriptorProto) -> Void) {
    testDescription = name
    self.expected = Set(expected)
    apply = { set in
      for index in set.file.indices where set.file[index].name == "runtime/v1/config.proto" { edit(&set.file[index]) }
    }
  }

  private init(mount name: String, _ expected: String, edit: @escaping @Sendable (inout Google_Protobuf_DescriptorProto) -> Void) {
    self.init(name, expected) { file in
      for index in file.messageType.indices where file.messageType[index].name == "Mount" { edit(&file.messageType[index]) }
    }
  }

  static let all = [
    Change(mount: "a missing field", "Mount/11: missing 'mount_options: repeated string'") { $0.field.removeLast() },
    Change(mount: "an extra field", "Mount/12: extra 'more: bool'") {
      $0.field.append(.with { ($0.name, $0.number, $0.type) = ("more", 12, .bool) })
    },
    Change(mount: "a renamed field", "Mount/1: is 'path: string', must be 'container_path: string'") { $0.field[0].name = "path" },
    Change(mount: "another type", "Mount/3: is 'readonly: int32', must be 'readonly: bool'") { $0.field[2].type = .int32 },
    Change(mount: "another label", "Mount/11: is 'mount_options: string', must be 'mount_options: repeated string'") {
      $0.field[10].label = .optional
    },
    Change(mount: "a deprecated field", "Mount/2: is 'host_path: string deprecated', must be 'host_path: string'") {
      $0.field[1].options.deprecated = true
    },
    Change("another enum value", "Protocol/SCTP: is '3', must be '2'") { file in
      for index in file.enumType.indices where file.enumType[index].name == "Protocol" { file.enumType[index].value[2].number = 3 }
    },
    Change("a missing message", "message KeyValue: missing ''", "KeyValue/1: missing 'key: string'", "KeyValue/2: missing 'value: bytes'") {
      $0.messageType.removeAll { $0.name == "KeyValue" }
    },
  ]
}

/// The files of the checkout that these tests read.
private enum Project {
  static let root = Files.parent(of: Files.parent(of: Files.parent(of: #filePath)))

  static func facts() throws -> Schema {
    try Schema(facts: String(decoding: Files.read(root + "/cri-api/facts/cri-v1.txt"), as: UTF8.self))
  }

  static func descriptors() async throws -> Google_Protobuf_FileDescriptorSet {
    let folder = "runtime/v1"
    let files = try Files.list("\(root)/cri-api/\(folder)").filter { $0.hasSuffix(".proto") }.map { "\(folder)/\($0)" }
    let output = try await Command.run(
      "/usr/bin/protoc", ["--proto_path=\(root)/cri-api", "--descriptor_set_out=/dev/stdout"] + files, timeout: .seconds(60))
    guard output.succeeded else { throw ProtocFailed(message: String(decoding: output.stderr, as: UTF8.self)) }
    return try Google_Protobuf_FileDescriptorSet(serializedBytes: output.stdout)
  }
}

private struct ProtocFailed: Error { let message: String }
