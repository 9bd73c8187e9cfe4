import CRIAPI
import Core
import OCI

/// `user[:group]`, each a name or a number, and where it comes from.
struct UserRequest: Hashable {
  var user: String
  var group: String?
  /// For messages: `run_as_user`, `the image's user`.
  var source: String

  /// The CRI's user, if it names any, replaces the image's whole `user:group`; a CRI group replaces the group only.
  init(_ context: Runtime_V1_LinuxContainerSecurityContext, image: String) throws(Fault) {
    let parts = image.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let group = context.hasRunAsGroup ? String(context.runAsGroup.value) : nil
    if !context.runAsUsername.isEmpty {
      self.init(user: context.runAsUsername, group: group, source: "run_as_username")
    } else if context.hasRunAsUser {
      self.init(user: String(context.runAsUser.value), group: group, source: "run_as_user")
    } else if group != nil {
      throw Fault(.invalidArgument, "run_as_group: a group (\(context.runAsGroup.value)) without a user")
    } else {
      let ofImage = parts.count > 1 && !parts[1].isEmpty ? parts[1] : nil
      self.init(user: parts.first.map { $0.isEmpty ? "0" : $0 } ?? "0", group: ofImage, source: "the image's user")
    }
  }

  private init(user: String, group: String?, source: String) {
    self.user = user
    self.group = group
    self.source = source
  }

  /// A number that no line knows is taken as it is, with group 0; a name must be there.
  func user(in database: UserDatabase) throws(Fault) -> RuntimeSpec.User {
    var result = RuntimeSpec.User()
    if let uid = try number(user) {
      result = RuntimeSpec.User(uid: uid, gid: database.user(uid)?.gid ?? 0)
    } else if let entry = database.user(named: user) {
      result = RuntimeSpec.User(uid: entry.uid, gid: entry.gid)
    } else {
      throw Fault(.invalidArgument, "\(source): user \"\(user.prefix(100))\" is not in /etc/passwd of the image")
    }
    if let group { result.gid = try gid(group, in: database) }
    return result
  }

  /// The name whose memberships count.
  func name(in database: UserDatabase) -> String? {
    if let uid = UInt32(user) { return database.user(uid)?.name }
    return user
  }

  private func gid(_ group: String, in database: UserDatabase) throws(Fault) -> UInt32 {
    if let gid = try number(group) { return gid }
    if let entry = database.group(named: group) { return entry.gid }
    throw Fault(.invalidArgument, "\(source): group \"\(group.prefix(100))\" is not in /etc/group of the image")
  }

  /// `nil` for a name. IDs are 31 bits wide, as in the other runtimes.
  private func number(_ text: String) throws(Fault) -> UInt32? {
    guard let value = Int64(text) else { return nil }
    guard let id = Int32(exactly: value), id >= 0 else { throw Fault(.invalidArgument, "\(source): \(value) is no user or group ID") }
    return UInt32(id)
  }
}
