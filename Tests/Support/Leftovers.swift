import Linux

/// Whose things count: what runs beside a test on the same machine must not.
package struct LeftoverScope: Sendable {
  /// Cgroup path below which the test's groups are made; every group and process below it counts. Nil for none.
  package var cgroup: String?
  /// Beginnings of names below /run/netns and of network interfaces that count; empty for all.
  package var netnsPrefix: String
  package var interfacePrefix: String
  /// Directories whose entries count.
  package var directories: [String]

  package init(cgroup: String? = nil, netnsPrefix: String = "", interfacePrefix: String = "veth", directories: [String] = []) {
    self.cgroup = cgroup
    self.netnsPrefix = netnsPrefix
    self.interfacePrefix = interfacePrefix
    self.directories = directories
  }
}

/// What a test could leave behind: taken before and after, the difference must be empty.
///
///     let before = Leftovers(scope)
///     …
///     let differences = await before.differences()
///     #expect(differences == [])
package struct Leftovers: Sendable {
  private let scope: LeftoverScope
  private let things: Set<Thing>

  /// What may go without anybody asking why.
  private static let passing = ["process", "descriptor"]

  private struct Thing: Hashable, Sendable, CustomStringConvertible {
    let kind: String
    /// What tells it apart; the description may change (a process becomes a zombie).
    let identity: String
    let description: String

    static func == (one: Thing, other: Thing) -> Bool { one.kind == other.kind && one.identity == other.identity }

    func hash(into hasher: inout Hasher) {
      hasher.combine(kind)
      hasher.combine(identity)
    }
  }

  package init(_ scope: LeftoverScope) {
    self.scope = scope
    things = Set(
      Self.processes(scope) + Self.mounts() + Self.named("netns", in: "/run/netns", scope.netnsPrefix)
        + Self.interfaces(scope) + Self.cgroups(scope) + Self.descriptors()
        + scope.directories.flatMap { Self.named("file", in: $0, "") })
  }

  /// A line for each thing that was not there before, and for each mount, group or file that has gone; empty when all is as it was. What ends in its own time (a dying
  /// process, a connection being closed) is given up to `limit`.
  package func differences(within limit: Duration = .seconds(5)) async -> [String] {
    let deadline = ContinuousClock.now + limit
    while true {
      let now = Leftovers(scope).things
      let gone = things.subtracting(now).filter { !Self.passing.contains($0.kind) }
      let lines = now.subtracting(things).map { "left: \($0.kind) \($0)" } + gone.map { "gone: \($0.kind) \($0)" }
      if lines.isEmpty || ContinuousClock.now >= deadline { return lines.sorted() }
      try? await Task.sleep(for: .milliseconds(20))
    }
  }

  /// Descendants of this process, and whatever lives in the scope's cgroup.
  private static func processes(_ scope: LeftoverScope) -> [Thing] {
    var pids = descendants()
    if let group = cgroup(scope) { pids.formUnion(group.processes()) }
    return pids.compactMap { pid in
      ProcessTable.commandLine(pid).map { Thing(kind: "process", identity: "\(pid)", description: "\(pid) \($0)") }
    }
  }

  private static func descendants() -> Set<Int32> {
    var children: [Int32: [Int32]] = [:]
    for pid in ProcessTable.all() {
      if let parent = ProcessTable.parent(pid) { children[parent, default: []].append(pid) }
    }
    var found: Set<Int32> = []
    var next = children[ProcessTable.own] ?? []
    while let pid = next.popLast() {
      if found.insert(pid).inserted { next += children[pid] ?? [] }
    }
    return found
  }

  private static func mounts() -> [Thing] {
    ((try? MountInfo.read()) ?? []).map {
      Thing(kind: "mount", identity: "\($0.id) \($0.mountPoint)", description: "\($0.mountPoint) (\($0.type) \($0.source) \($0.root))")
    }
  }

  private static func cgroups(_ scope: LeftoverScope) -> [Thing] {
    (cgroup(scope)?.groups() ?? []).map { Thing(kind: "cgroup", identity: $0, description: $0) }
  }

  private static func cgroup(_ scope: LeftoverScope) -> Cgroup? {
    guard let path = scope.cgroup, let tree = try? CgroupTree.detect() else { return nil }
    return try? Cgroup(path, in: tree)
  }

  /// The interfaces of this process's own network namespace: /sys/class/net shows those of the namespace that mounted /sys, which may be another's.
  private static func interfaces(_ scope: LeftoverScope) -> [Thing] {
    (NetworkCounters.read(pid: ProcessTable.own) ?? []).map(\.name).filter { $0.hasPrefix(scope.interfacePrefix) }
      .map { Thing(kind: "interface", identity: $0, description: $0) }
  }

  private static func named(_ kind: String, in directory: String, _ prefix: String) -> [Thing] {
    ((try? Files.list(directory)) ?? []).filter { $0.hasPrefix(prefix) }.map {
      Thing(kind: kind, identity: "\(directory)/\($0)", description: "\(directory)/\($0)")
    }
  }

  /// By what they are open on: numbers are reused. Event loops make their own descriptors when first needed and keep them.
  private static func descriptors() -> [Thing] {
    let targets = ((try? Files.list("/proc/self/fd")) ?? []).compactMap { try? Files.readLink("/proc/self/fd/\($0)") }
    let ours = targets.filter { target in
      !["[eventpoll]", "[eventfd]", "[timerfd]"].contains { target.hasSuffix($0) } && target != "/proc/\(ProcessTable.own)/fd"
    }
    var counts: [String: Int] = [:]
    return ours.map { target in
      counts[target, default: 0] += 1
      return Thing(kind: "descriptor", identity: "\(target) #\(counts[target]!)", description: target)
    }
  }
}
