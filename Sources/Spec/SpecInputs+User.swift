import CRIAPI
import Core
import OCI

extension SpecInputs {
  /// Who a container's process is: the CRI's user and group over the image's `User`, names and memberships from the image's own files.
  /// The primary group comes first, then the image's memberships unless the policy is Strict, then what the CRI adds.
  func user() throws(Fault) -> RuntimeSpec.User {
    let request = try UserRequest(security, image: image.config.user)
    let database = UserDatabase(passwd: try imageFile("/etc/passwd"), group: try imageFile("/etc/group"))
    let user = try request.user(in: database)
    var groups = Set(security.supplementalGroups.map { UInt32(clamping: $0) })
    if security.supplementalGroupsPolicy == .merge, let name = request.name(in: database) {
      groups.formUnion(database.groups(of: name))
    }
    groups.remove(user.gid)
    return RuntimeSpec.User(uid: user.uid, gid: user.gid, additionalGids: [user.gid] + groups.sorted(), umask: try umask())
  }

  /// The image's passwd with the container's user in it, where the operator wants that and the image does not know the user: many programs
  /// fail for whom they find no name.
  func passwdWithUser() throws(Fault) -> [UInt8]? {
    guard node.defaults.addsUsers, !prepared.passwdFile.isEmpty else { return nil }
    let passwd = try imageFile("/etc/passwd") ?? []
    let user = try user()
    if UserDatabase(passwd: passwd, group: nil).user(user.uid) != nil { return nil }
    let entry = "\(user.uid):x:\(user.uid):\(user.gid):container user:\(try ContainerCommand.workingDirectory(self)):/sbin/nologin\n"
    let isEnded = passwd.last.map { $0 == UInt8(ascii: "\n") } ?? true
    return passwd + (isEnded ? [] : [UInt8(ascii: "\n")]) + Array(entry.utf8)
  }

  private func imageFile(_ path: String) throws(Fault) -> [UInt8]? {
    try stage("\(path) of the image") { try lookups.imageFile(path) }
  }
}
