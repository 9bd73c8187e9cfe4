import Core
import Linux

extension PodDefaults {
  /// INVALID_ARGUMENT where a user namespace would map host IDs that are not for pods.
  func checkMappings(_ maps: IDMaps?) throws(Fault) {
    guard let maps else { return }
    try check(maps.users, "uids", lowestUser, "minimum_mappable_uid")
    try check(maps.groups, "gids", lowestGroup, "minimum_mappable_gid")
  }

  private func check(_ ranges: [IDRange], _ field: String, _ lowest: UInt32, _ key: String) throws(Fault) {
    guard let index = ranges.firstIndex(where: { $0.outside < lowest }) else { return }
    throw Fault(
      .invalidArgument,
      "linux.security_context.namespace_options.userns_options.\(field)[\(index)].host_id: \(ranges[index].outside) is below \(lowest), "
        + "the lowest that pods of this node may map ([pods] \(key))")
  }
}
