import CLinux

extension Container {
  /// Another's shim may have a machine to stop.
  private static let runtimeDeadline: Int64 = ForeignRuntime.isUsed ? 30_000 : 10_000
  /// For output that is still in the pipes.
  private static let logGrace: Int64 = 500

  /// Removes all that is left of a container that has ended or never ran. A second call joins the first.
  func delete(_ call: Call) {
    if case .running = phase, startFailure == nil {
      return call.fail(Failure(.failedPrecondition, "container " + id + " runs"))
    }
    deleteCalls.append(call)
    guard case .none = deletion else { return }
    deletion = .wanted
    abandon()
    join { self.beginDelete() }
  }

  private func beginDelete() {
    switch phase {
    case .stopped: if case .wanted = deletion { runDelete() }
    case .created(let process), .starting(let process), .running(let process): process.signal(SIGKILL)
    case .creating, .ending: break
    }
  }

  /// Called once, when the container is stopped: by `beginDelete`, or by `publish` where it was not yet.
  func runDelete() {
    deletion = .running
    log?.finish(milliseconds: Self.logGrace)
    let program = program([Bytes("delete"), Bytes("--force"), id])
    RuntimeCommand(reaper: pod.reaper, program, log: runtimeLog, deadline: Self.runtimeDeadline) { outcome in
      if case .succeeded = outcome {} else { self.removeRuntimeState() }
      self.cleanUp()
    }
  }

  /// What the runtime would have done.
  private func removeRuntimeState() {
    cgroup.signal(SIGKILL)
    let state = options.runtime.root + "/" + id
    for name in Files.names(state) { Files.remove(state + "/" + name) }
    _ = state.withCString { rmdir($0) }
  }

  private func cleanUp() {
    unmountRootfs()
    cgroup.remove()
    if options.stdin { Files.remove(inputPath) }
    if master >= 0 { close(master) }
    master = -1
    guard let log else { return finishDelete() }
    log.whenDrained(within: Self.logGrace * 2) { self.finishDelete() }
  }

  private func unmountRootfs() {
    guard options.rootfs != nil else { return }
    _ = rootfsPath.withCString { path in
      umount2(path, Int32(UMOUNT_NOFOLLOW)) == 0 ? 0 : umount2(path, Int32(MNT_DETACH) | Int32(UMOUNT_NOFOLLOW))
    }
  }

  private func finishDelete() {
    deleted()
    for call in deleteCalls { call.succeed(Exit.deleteAnswer(exit, pid: pid)) }
    deleteCalls = []
  }
}
