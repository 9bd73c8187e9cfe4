import CLinux

/// A spec names another container's PID namespace by the process that berthd knows that container by, which here only stands for it, and is in the
/// host's namespace itself. The container's own process takes its place; where that is on another machine, nothing can be joined.
enum JoinedNamespaces {
  static func correct(_ container: Container, bundle: Bytes) throws(Failure) {
    let path = bundle + "/config.json"
    guard var spec = Files.read(path, last: 16 << 20) else { throw SystemFailure.failure("bundle", path) }
    var isChanged = false
    for (id, sibling) in container.siblings where sibling.proxy.isAlive {
      guard let place = range(of: name(sibling.proxy.pid), in: spec) else { continue }
      guard sibling.task > 0, !isOfHost(sibling.task) else {
        let complaint = "container " + container.id + ": the PID namespace of container " + id + " is not on this machine"
        throw Failure(.failedPrecondition, complaint)
      }
      spec.replaceSubrange(place, with: name(sibling.task))
      isChanged = true
    }
    guard !isChanged || Files.replace(path, spec) else { throw SystemFailure.failure("writing", path) }
  }

  private static func name(_ pid: Int32) -> Bytes { "\"/proc/" + Bytes(decimal: pid) + "/ns/pid\"" }

  private static func range(of text: Bytes, in spec: Bytes) -> Range<Int>? {
    spec.withUnsafeBytes { all in
      guard let found = memmem(all.baseAddress!, all.count, text, text.count) else { return nil }
      let start = UnsafeRawPointer(found) - all.baseAddress!
      return start..<(start + text.count)
    }
  }

  private static func isOfHost(_ pid: Int32) -> Bool {
    var (own, other) = (stat(), stat())
    let path = "/proc/" + Bytes(decimal: pid) + "/ns/pid"
    guard stat("/proc/self/ns/pid", &own) == 0, path.withCString({ stat($0, &other) }) == 0 else { return true }
    return own.st_ino == other.st_ino
  }
}
