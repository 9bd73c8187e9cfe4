package import Core
package import Linux

extension PodDefaults {
  /// INVALID_ARGUMENT where a user namespace would map host IDs that are not for pods.
  /// - Parameter source: what asked for it, as messages name it.
  package func checkMappings(_ maps: IDMaps, _ source: String) throws(Fault) {
    try check(maps.users, "\(source).uids", lowestUser, "minimum_mappable_uid")
    try check(maps.groups, "\(source).gids", lowestGroup, "minimum_mappable_gid")
  }

  private func check(_ ranges: [IDRange], _ field: String, _ lowest: UInt32, _ key: String) throws(Fault) {
    guard let index = ranges.firstIndex(where: { $0.outside < lowest }) else { return }
    throw Fault(
      .invalidArgument,
      "\(field)[\(index)].host_id: \(ranges[index].outside) is below \(lowest), the lowest that pods of this node may map ([pods] \(key))")
  }
}
