import Linux

extension Configuration {
  /// `[shim]`
  package struct Shim: Equatable, Sendable {
    /// `nil`: `berth-shim` beside berthd, then in /usr/libexec/berth, then in ``Executables/searchPath``.
    package var path: String?
    /// Key `cgroup`: of all pods' shims, below which each has its own; `nil` for one below the pod's.
    package var cgroup: String?
    /// Key `cpuset`: the processors of shims and of what holds pods' namespaces, `0-1`; `nil` for any.
    package var processors: String?
    /// Key `cpu_shares`: their weight beside containers; 0 for the kernel's own.
    package var shares = 0
    /// Key `oom_score_adj`: of shims.
    package var oomScore = -998
  }
}

extension Configuration.Shim {
  mutating func apply(_ table: inout TableReader) throws(SettingsError) {
    try table.set(&path, "path", check: Check.absolute)
    try table.set(&cgroup, "cgroup", check: Check.cgroup)
    try table.set(&processors, "cpuset", check: Check.processors)
    try table.set(&shares, "cpu_shares") { $0 == 0 || (2...262_144).contains($0) ? nil : "must be 0, or between 2 and 262144, found \($0)" }
    try table.set(&oomScore, "oom_score_adj", check: Check.range(-1000...1000))
  }
}

extension Check {
  /// Below every hierarchy's root.
  static func cgroup(_ path: String) -> String? {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    return path.hasPrefix("/") && !parts.contains { ["", ".", ".."].contains($0) }
      ? nil : "must be a path below a hierarchy's root, like \"/berth-shims\", found \"\(path)\""
  }

  static func processors(_ list: String) -> String? {
    CPUSet(list).map { !$0.isEmpty } == true ? nil : "must be a list of processors like \"0-1,4\", found \"\(list)\""
  }
}
