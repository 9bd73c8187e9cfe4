extension Node {
  /// A node whose default handler is `runtime`, where that agrees to the machine's cgroups.
  static func with(runtime: String, settings more: String = "", _ body: (Node) async throws -> Void) async throws {
    let settings = "[runtimes]\ndefault = \"\(runtime)\"\n[runtimes.\(runtime)]\n" + more
    guard runtime == "crun" else { return try await with(settings: settings, body) }
    try await CrunRealm.with { try await with(settings: settings, launcher: $0, body) }
  }
}
