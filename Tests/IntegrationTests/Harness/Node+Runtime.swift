import Linux

extension Node {
  /// A handler whose containers are run by a shim of containerd's.
  static let foreign = "foreign"

  /// The same with streams that go over the shim's own service.
  static let streamed = "streamed"

  /// A shim that has such a service, before containerd's.
  static let streamedShim =
    "\(#filePath)".replacing("/Tests/IntegrationTests/Harness/Node+Runtime.swift", with: "")
    + "/conformance/streams/containerd-shim-streamed-v2"

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

  /// Settings of a handler whose streams go over its shim's service; `manner`: in what the shim is odd.
  static func streamedSettings(shim: String = streamedShim, manner: String = "") throws -> String {
    try foreignSettings(shim: shim).replacing("\"]", with: "\", \"BERTH_V2_IO_TYPE=streaming\", \"STREAMS_MANNER=\(manner)\"]")
  }

  /// A node whose default handler is `runtime`, where that agrees to the machine's cgroups.
  static func with(runtime: String, settings more: String = "", _ body: (Node) async throws -> Void) async throws {
    let handler = runtime == foreign ? try foreignSettings() : runtime == streamed ? try streamedSettings() : ""
    let settings = "[runtimes]\ndefault = \"\(runtime)\"\n[runtimes.\(runtime)]\n" + handler + more
    guard runtime == "crun" else { return try await with(settings: settings, body) }
    try await CrunRealm.with { try await with(settings: settings, launcher: $0, body) }
  }
}
