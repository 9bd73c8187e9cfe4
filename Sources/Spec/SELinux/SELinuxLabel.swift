/// A security context (selinux(8)): user, role, type, and where the policy has them a level with categories.
package struct SELinuxLabel: Hashable, Sendable, CustomStringConvertible {
  package var user: String
  package var role: String
  package var type: String
  /// `s0:c1,c2`; empty for none.
  package var level: String

  /// `system_u:system_r:container_t:s0:c1,c2`; `nil` for what is none.
  package init?(_ text: some StringProtocol) {
    let parts = Substring(text).split(separator: ":", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
    guard parts.count >= 3, parts.prefix(3).allSatisfy({ !$0.isEmpty }), !text.utf8.contains(where: { $0 <= 0x20 }) else { return nil }
    (user, role, type, level) = (parts[0], parts[1], parts[2], parts.count > 3 ? parts[3] : "")
  }

  package var description: String { [user, role, type].joined(separator: ":") + (level.isEmpty ? "" : ":" + level) }
}

/// Of a container's processes, and of the files that are its own.
package struct SELinuxLabels: Hashable, Sendable, Codable {
  package var process: String
  package var file: String

  package init(process: String, file: String) {
    self.process = process
    self.file = file
  }
}
