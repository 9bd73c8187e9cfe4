import CLinux

extension Container {
  /// Where it cannot be had the runtime finds no socket, and its create says so.
  func startNotifier() {
    var pidfd: Int32 = -1
    let pid = bundle.withCString { shim_notifier_start($0, &pidfd) }
    guard pid > 0 else { return note(SystemFailure("seccomp notifier in", bundle).message) }
    notifier = Process(pid: pid, pidfd: pidfd, reaper: pod.reaper) { _ in }
  }
}
