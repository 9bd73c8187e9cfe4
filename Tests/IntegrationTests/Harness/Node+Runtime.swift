import Linux

extension Node {
  /// A handler whose containers are run by a shim of containerd's.
  static let foreign = "foreign"

  /// What such a shim keeps its containers under, apart from those of other runs.
  static let foreignNamespace = "berth-test-\(Process.id)"

  /// Settings of such a handler.
  static func foreignSettings(shim: String = "/usr/bin/containerd-shim-runc-v2") throws -> String {
    """
    path = "\(try Programs.path("berth-runtime"))"
    monitor_env = [
      "BERTH_V2_SHIM=\(shim)", "BERTH_V2_NAMESPACE=\(foreignNamespace)", "BERTH_V2_OPTIONS_TYPE=containerd.runc.v1.Options"]

    """
  }

  /// A node whose default handler is `runtime`, where that agrees to the machine's cgroups.
  static func with(runtime: String, settings more: String = "", _ body: (Node) async throws -> Void) async throws {
    let handler = runtime == foreign ? try foreignSettings() : ""
    let settings = "[runtimes]\ndefault = \"\(runtime)\"\n[runtimes.\(runtime)]\n" + handler + more
    guard runtime == "crun" else { return try await with(settings: settings, body) }
    try await CrunRealm.with { try await with(settings: settings, launcher: $0, body) }
  }
}
