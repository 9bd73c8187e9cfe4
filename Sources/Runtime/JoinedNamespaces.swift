import CLinux

/// A spec names another container's PID namespace by the process that berthd knows that container by, which here only stands for it, and is in the
/// host's namespace itself. The container's own process takes its place; where that is on another machine, nothing can be joined.
enum JoinedNamespaces {
  static func correct(_ container: Container, bundle: Bytes) throws(Failure) {
    let path = bundle + "/config.json"
    guard var spec = Files.read(path, last: 16 << 20) else { throw SystemFailure.failure("bundle", path) }
    guard let (place, pid) = joined(spec), isOfHost(pid) else { return }
    let sibling = container.siblings.first { $0.record.proxy.pid == pid && $0.record.proxy.isAlive }
    guard let sibling, sibling.record.task > 0, !isOfHost(sibling.record.task) else {
      let whose = sibling.map { "of container " + $0.id } ?? "of process " + Bytes(decimal: pid)
      throw Failure(.failedPrecondition, "container " + container.id + ": the PID namespace " + whose + " is not on this machine")
    }
    spec.replaceSubrange(place, with: Bytes(decimal: sibling.record.task))
    guard Files.replace(path, spec) else { throw SystemFailure.failure("writing", path) }
  }

  /// The number in `"/proc/NUMBER/ns/pid"`, and where it is.
  private static func joined(_ spec: Bytes) -> (Range<Int>, Int32)? {
    guard let end = spec.find("/ns/pid\"") else { return nil }
    let start = spec[..<end].lastIndex(of: 47).map { $0 + 1 } ?? end
    guard spec[..<start].suffix(7).elementsEqual(Bytes("\"/proc/")), let pid = Bytes(spec[start..<end]).number, pid <= Int32.max else {
      return nil
    }
    return (start..<end, Int32(pid))
  }

  /// Also for one that is not there: nothing else can be said of it.
  private static func isOfHost(_ pid: Int32) -> Bool {
    var (own, other) = (stat(), stat())
    let path = "/proc/" + Bytes(decimal: pid) + "/ns/pid"
    guard Bytes("/proc/self/ns/pid").withCString({ stat($0, &own) }) == 0, path.withCString({ stat($0, &other) }) == 0 else { return true }
    return own.st_ino == other.st_ino
  }
}
