/// What `/etc/passwd` and `/etc/group` of an image say (passwd(5), group(5)). Lines that are not understood are left out, as libc does.
package struct UserDatabase: Sendable, Hashable {
  package struct User: Sendable, Hashable {
    package var name: String
    package var uid: UInt32
    package var gid: UInt32
  }

  package struct Group: Sendable, Hashable {
    package var name: String
    package var gid: UInt32
    package var members: [String]
  }

  package var users: [User]
  package var groups: [Group]

  package init(passwd: [UInt8]?, group: [UInt8]?) {
    users = UserDatabase.lines(passwd ?? []).compactMap { fields in
      guard fields.count >= 4, !fields[0].isEmpty, let uid = UInt32(fields[2]), let gid = UInt32(fields[3]) else { return nil }
      return User(name: fields[0], uid: uid, gid: gid)
    }
    groups = UserDatabase.lines(group ?? []).compactMap { fields in
      guard fields.count >= 3, !fields[0].isEmpty, let gid = UInt32(fields[2]) else { return nil }
      let members = fields.count > 3 ? fields[3].split(separator: ",").map(String.init) : []
      return Group(name: fields[0], gid: gid, members: members)
    }
  }

  package func user(named name: String) -> User? { users.first { $0.name == name } }
  package func user(_ uid: UInt32) -> User? { users.first { $0.uid == uid } }
  package func group(_ gid: UInt32) -> Group? { groups.first { $0.gid == gid } }
  package func group(named name: String) -> Group? { groups.first { $0.name == name } }

  /// IDs of the groups that list `name` as a member.
  package func groups(of name: String) -> [UInt32] { groups.filter { $0.name != name && $0.members.contains(name) }.map(\.gid) }

  private static func lines(_ bytes: [UInt8]) -> [[String]] {
    bytes.split(separator: UInt8(ascii: "\n")).filter { $0.first != UInt8(ascii: "#") }.map { line in
      line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    }
  }
}
