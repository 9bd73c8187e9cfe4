import CLinux

/// A program to start, with exactly what it is given: every descriptor not named is closed, signals are at their defaults.
package struct Spawn: Sendable {
  /// Not looked up in PATH.
  package var path: String
  /// With the program's own name first.
  package var arguments: [String]
  /// `NAME=value`; nothing is inherited.
  package var environment: [String] = []
  /// Nil keeps this process's.
  package var directory: String?
  /// Borrowed; element i becomes the child's descriptor i, -1 leaves it closed.
  package var descriptors: [Int32]
  package var newSession = true
  /// Borrowed, open for writing: `cgroup.procs` files the child joins before it executes anything.
  package var cgroups: [Int32] = []
  /// oom_score_adj; ignored where the kernel refuses it. Nil keeps this process's.
  package var oomScore: Int32?

  package init(_ path: String, _ arguments: [String], descriptors: [Int32]) {
    self.path = path
    self.arguments = [path] + arguments
    self.descriptors = descriptors
  }

  /// Returns once the program runs. Blocks the calling thread until then: not for Swift's own threads.
  package func start() throws(SystemError) -> Pidfd {
    var pid: Int32 = 0
    var pidfd: Int32 = -1
    var step: Int32 = 0
    let error = withPlan { plan in withUnsafePointer(to: plan) { clinux_spawn($0, &pid, &pidfd, &step) } }
    if error != 0 { throw failure(error, step) }
    return Pidfd(pid: pid, owning: pidfd)
  }

  private func withPlan(_ body: (clinux_spawn) -> Int32) -> Int32 {
    var arguments = CStringArray(self.arguments)
    var environment = CStringArray(self.environment)
    defer {
      arguments.free()
      environment.free()
    }
    return path.withCString { path in
      withDirectory { directory in
        descriptors.withUnsafeBufferPointer { descriptors in
          cgroups.withUnsafeBufferPointer { cgroups in
            body(
              clinux_spawn(
                path: path, arguments: arguments.pointers, environment: environment.pointers, directory: directory,
                descriptors: descriptors.baseAddress, descriptor_count: Int32(descriptors.count), cgroups: cgroups.baseAddress,
                cgroup_count: Int32(cgroups.count), new_session: newSession ? 1 : 0, set_oom_score: oomScore == nil ? 0 : 1,
                oom_score: oomScore ?? 0))
          }
        }
      }
    }
  }

  private func withDirectory(_ body: (UnsafePointer<CChar>?) -> Int32) -> Int32 {
    guard let directory else { return body(nil) }
    return directory.withCString { body($0) }
  }

  private func failure(_ number: Int32, _ step: Int32) -> SystemError {
    switch clinux_spawn_step(UInt32(step)) {
    case CLINUX_SPAWN_SETSID: SystemError(number, call: "setsid", object: path)
    case CLINUX_SPAWN_CGROUP: SystemError(number, call: "join cgroup", object: path)
    case CLINUX_SPAWN_DESCRIPTORS: SystemError(number, call: "dup2", object: path)
    case CLINUX_SPAWN_CHDIR: SystemError(number, call: "chdir", object: directory ?? path)
    case CLINUX_SPAWN_EXEC: SystemError(number, call: "execve", object: path)
    default: SystemError(number, call: "clone", object: path)
    }
  }
}

/// `char **` for execve: NULL-terminated copies.
private struct CStringArray {
  let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  private let count: Int

  init(_ strings: [String]) {
    count = strings.count
    pointers = .allocate(capacity: count + 1)
    for (index, string) in strings.enumerated() { pointers[index] = strdup(string) }
    pointers[count] = nil
  }

  mutating func free() {
    for index in 0..<count { CLinux.free(pointers[index]) }
    pointers.deallocate()
  }
}
