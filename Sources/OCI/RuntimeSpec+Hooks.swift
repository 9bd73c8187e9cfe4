extension RuntimeSpec {
  /// Programs of the host run at points of a container's life (config.md "POSIX-platform Hooks").
  package struct Hooks: Hashable, Sendable, Codable {
    package var prestart: [Hook]?
    package var createRuntime: [Hook]?
    package var createContainer: [Hook]?
    package var startContainer: [Hook]?
    package var poststart: [Hook]?
    package var poststop: [Hook]?

    package init() {}
  }

  package struct Hook: Hashable, Sendable, Codable {
    /// Absolute.
    package var path: String
    package var args: [String]?
    package var env: [String]?
    /// Seconds.
    package var timeout: Int?

    package init(path: String, args: [String]? = nil, env: [String]? = nil, timeout: Int? = nil) {
      self.path = path
      self.args = args
      self.env = env
      self.timeout = timeout
    }
  }
}

extension RuntimeSpec.Hooks? {
  /// Adds a hook at one of the points, by its name in the spec; any other name is left out.
  package mutating func add(_ hook: RuntimeSpec.Hook, at point: String) {
    let points: [String: WritableKeyPath<RuntimeSpec.Hooks, [RuntimeSpec.Hook]?>] = [
      "prestart": \.prestart, "createRuntime": \.createRuntime, "createContainer": \.createContainer, "startContainer": \.startContainer,
      "poststart": \.poststart, "poststop": \.poststop,
    ]
    guard let path = points[point] else { return }
    var hooks = self ?? RuntimeSpec.Hooks()
    hooks[keyPath: path] = (hooks[keyPath: path] ?? []) + [hook]
    self = hooks
  }
}
