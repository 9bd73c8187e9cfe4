import Linux

extension Configuration {
  /// `[workloads.NAME]`: a kind of pods, told by an annotation, whose containers have other CPU limits than the kubelet says.
  package struct Workload: Equatable, Sendable {
    /// Key `activation_annotation`: a pod with an annotation of this name, whatever it says, is of this kind.
    package var activation = ""
    /// Key `annotation_prefix`: a pod's annotation `PREFIX/CONTAINER` has a container's own limits, as JSON.
    package var prefix = ""
    /// Key `allowed_annotations`: those its pods may use, besides their handler's.
    package var allowedAnnotations: [String] = []
    /// `[workloads.NAME.resources]`, of containers that say nothing themselves; 0 and empty leave what the kubelet says.
    package var shares = 0
    package var quota = 0
    package var period = 0
    /// Key `cpulimit`: thousandths of a processor; a quota by another name.
    package var limit = 0
    package var processors = ""

    package init() {}
  }
}

extension Configuration.Workload {
  mutating func apply(_ table: inout TableReader) throws(SettingsError) {
    try table.set(&activation, "activation_annotation") { $0.isEmpty ? "must not be empty" : nil }
    try table.set(&prefix, "annotation_prefix")
    try table.set(&allowedAnnotations, "allowed_annotations")
    try table.within("resources") { (table) throws(SettingsError) in
      try table.set(&shares, "cpushares", check: Check.range(0...262_144))
      try table.set(&quota, "cpuquota", check: Check.range(-1...(1 << 40)))
      try table.set(&period, "cpuperiod", check: Check.range(0...1_000_000))
      try table.set(&limit, "cpulimit", check: Check.range(0...(1 << 24)))
      try table.set(&processors, "cpuset") { $0.isEmpty ? nil : Check.processors($0) }
    }
    if activation.isEmpty { throw table.error("activation_annotation", "is missing") }
  }
}
