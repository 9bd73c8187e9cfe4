import CLinux

/// Ending what lives in a cgroup, and the cgroup itself. Blocks: not for Swift's own threads.
extension Cgroup {
  /// Sends SIGKILL to everything in it and below until nothing is left, or `limit` is over. Returns what is left: normally nothing.
  /// Never this process itself.
  @discardableResult
  package func kill(within limit: Duration = .seconds(5)) -> Set<Int32> {
    thaw()
    killWhole()
    let deadline = ContinuousClock.now + limit
    while true {
      let left = processes().subtracting([getpid(), 0])
      if left.isEmpty || ContinuousClock.now >= deadline { return left }
      let targets = killOnce(left)
      // The first one to go is worth a new look.
      if targets.first?.ended(within: 20) != false { usleep(1000) }
    }
  }

  /// Removes it and all groups below in every hierarchy; a group still busy (the kernel clears up after a dead process in its own time) is
  /// tried again until `limit` is over. What is already gone is no error.
  package func remove(within limit: Duration = .seconds(2)) throws(SystemError) {
    let deadline = ContinuousClock.now + limit
    while true {
      let failure = removeOnce()
      guard let failure else { return }
      if !failure.is(EBUSY) || ContinuousClock.now >= deadline { throw failure }
      usleep(2000)
    }
  }

  private func removeOnce() -> SystemError? {
    var failure: SystemError?
    for group in groups() {
      guard rmdir(group) != 0 else { continue }
      let number = clinux_errno()
      if number != ENOENT { failure = failure ?? SystemError(number, call: "rmdir", object: group) }
    }
    return failure
  }

  /// SIGKILL by pidfd to those that are still members after the pidfd was opened: a number may have passed to a process elsewhere.
  private func killOnce(_ pids: Set<Int32>) -> [Pidfd] {
    let opened = pids.compactMap { try? Pidfd.open($0) }
    let members = processes()
    let targets = opened.filter { members.contains($0.pid) }
    for target in targets { try? target.signal(SIGKILL) }
    return targets
  }

  /// v2 has one write for the whole subtree, which no fork can outrun.
  private func killWhole() {
    for hierarchy in tree.hierarchies where hierarchy.kind == .unified {
      try? Files.write("1", to: hierarchy.mountPoint + path + "/cgroup.kill", create: false)
    }
  }

  /// A process frozen by v1 dies only once it is thawed.
  private func thaw() {
    for hierarchy in tree.hierarchies where hierarchy.controls("freezer") {
      for group in Self.groups(below: hierarchy.mountPoint + path).reversed() {
        try? Files.write("THAWED", to: group + "/freezer.state", create: false)
      }
    }
  }
}
