import GRPC
import Support
import Testing

/// A call refused though all was well with it but for a few fields: what its error owes to who has to mend it.
struct Refusal {
  let method: String
  let changes: [FieldChange]
  let status: GRPCStatus
  let seed: UInt64

  private static let mendable: [GRPCStatus.Code] = [.invalidArgument, .failedPrecondition, .notFound]
  /// Ancestors of so much that they say nothing.
  private static let vague: Set = ["config", "linux", "resources", "security_context", "sandbox_config"]

  /// A code that is the client's to mend, a message of a readable length, and in it a changed field or what it was given.
  func check() {
    #expect(Self.mendable.contains(status.code) || isExpected, "\(what): \(status.code) \(status.message.prefix(600))")
    #expect(status.message.utf8.count < 8192, "\(what): \(status.message.prefix(600))")
    if isExpected || isUnreadable || changes.isEmpty || changes.contains(where: \.path.isMessage) { return }
    #expect(changes.contains { isNamed($0.path) || isShown($0) }, "\(what): the field is not in: \(status.message.prefix(600))")
    guard changes.count == 1, status.code == .invalidArgument, let number = number(changes[0]) else { return }
    #expect(status.message.contains(number), "\(what): the value is not in: \(status.message.prefix(600))")
  }

  private var what: String { "seed \(seed): \(method) " + changes.map(\.description).joined(separator: ", ") }

  /// Registries cannot be reached here, and kubelets want to hear of that with no code; the rest comes later.
  private var isExpected: Bool {
    status.code == .unimplemented && (method.contains("Checkpoint") || method.hasSuffix("RestorePod"))
      || method == Subject.pull && status.message.hasPrefix("RegistryUnavailable: ")
      // The command's own time limit, not the call's.
      || method.hasSuffix("ExecSync") && status.code == .deadlineExceeded && status.message.contains("timed out after")
  }

  /// Bytes that are no message have no fields.
  private var isUnreadable: Bool { status.message.hasPrefix("request is not a valid runtime.v1.") }

  /// Itself, or what it is a part of; `container_id` as `container`.
  private func isNamed(_ path: FieldPath) -> Bool {
    path.fields.map(\.name).contains { name in
      let short = name.hasSuffix("_id") ? name.dropLast(3) : name[...]
      return !Self.vague.contains(name)
        && [name, short.split(separator: "_").joined(separator: " ")].contains { status.message.contains($0) }
    }
  }

  /// Its text as the message would have it, one letter in quotation marks; of a map's entry the key.
  private func isShown(_ change: FieldChange) -> Bool {
    change.values.contains { value in
      let entry = change.path.last.kind == .map ? WireField.parse(value.content)?.first { $0.number == 1 } : value
      let text = String(decoding: (entry?.content ?? []).prefix(60), as: UTF8.self)
      return !text.isEmpty && status.message.contains(text.count > 1 ? text : "\"\(text)\"")
    }
  }

  /// As the client's own type would show it, where it is this number that is refused and not what it stands beside.
  private func number(_ change: FieldChange) -> String? {
    guard change.values.count == 1, let value = change.values.first?.varint, status.message.contains(change.path.last.name + ": ")
    else { return nil }
    switch change.path.last.kind {
    case .int32: return "\(Int32(truncatingIfNeeded: value))"
    case .int64: return "\(Int64(bitPattern: value))"
    case .uint32: return "\(UInt32(truncatingIfNeeded: value))"
    case .enumeration(let known):
      let number = Int32(truncatingIfNeeded: value)
      return known.contains(number) ? nil : "\(number)"
    default: return nil
    }
  }
}
