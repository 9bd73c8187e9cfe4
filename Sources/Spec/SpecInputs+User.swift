import CRIAPI
import Core
import Linux
import OCI

extension SpecInputs {
  /// Who a container's process is: the CRI's user and group over the image's `User`, names and memberships from the image's own files.
  /// The primary group comes first, then the image's memberships unless the policy is Strict, then what the CRI adds.
  func user() throws(Fault) -> RuntimeSpec.User {
    try user(in: UserDatabase(passwd: try imageFile("/etc/passwd"), group: try imageFile("/etc/group")))
  }

  private func user(in database: UserDatabase) throws(Fault) -> RuntimeSpec.User {
    let request = try UserRequest(security, image: image.config.user)
    let user = try request.user(in: database)
    var groups = Set(security.supplementalGroups.map { UInt32(clamping: $0) })
    if security.supplementalGroupsPolicy == .merge, let name = request.name(in: database) {
      groups.formUnion(database.groups(of: name))
    }
    groups.remove(user.gid)
    let all = [user.gid] + groups.sorted()
    try checkMapped(user, all, from: request.source)
    return RuntimeSpec.User(uid: user.uid, gid: user.gid, additionalGids: all, umask: try umask())
  }

  /// Nobody can become what the pod's user namespace has not (user_namespaces(7)): the runtime would find out when the container starts.
  private func checkMapped(_ user: RuntimeSpec.User, _ groups: [UInt32], from source: String) throws(Fault) {
    guard let maps = pod.userNamespace?.maps else { return }
    let unmapped = { (field: String, id: UInt32) in Fault(.invalidArgument, "\(field): \(id) is not mapped in the pod's user namespace") }
    if maps.user(user.uid) == nil { throw unmapped(source, user.uid) }
    if maps.group(user.gid) == nil { throw unmapped(security.hasRunAsGroup ? "run_as_group" : source, user.gid) }
    guard let group = groups.first(where: { maps.group($0) == nil }) else { return }
    throw unmapped(security.supplementalGroups.contains(Int64(group)) ? "supplemental_groups" : "groups of the image's user", group)
  }

  /// The image's passwd and group with the container's user and group in them, by their names, where the operator wants that and the image does not
  /// know them: many programs fail for whom they find no name.
  func userFiles() throws(Fault) -> [String: [UInt8]] {
    guard node.defaults.addsUsers, !prepared.ownFiles.isEmpty else { return [:] }
    let (passwd, group) = (try imageFile("/etc/passwd") ?? [], try imageFile("/etc/group") ?? [])
    let database = UserDatabase(passwd: passwd, group: group)
    let user = try user(in: database)
    var files: [String: [UInt8]] = [:]
    if database.user(user.uid) == nil {
      let home = try ContainerCommand.workingDirectory(self)
      files["passwd"] = Self.adding("\(user.uid):x:\(user.uid):\(user.gid):container user:\(home):/sbin/nologin", to: passwd)
    }
    if database.group(user.gid) == nil { files["group"] = Self.adding("\(user.gid):x:\(user.gid):", to: group) }
    return files
  }

  private static func adding(_ line: String, to file: [UInt8]) -> [UInt8] {
    let isEnded = file.last.map { $0 == UInt8(ascii: "\n") } ?? true
    return file + Array(((isEnded ? "" : "\n") + line + "\n").utf8)
  }

  private func imageFile(_ path: String) throws(Fault) -> [UInt8]? {
    try stage("\(path) of the image") { try lookups.imageFile(path) }
  }
}
