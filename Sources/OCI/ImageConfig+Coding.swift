extension ImageConfig {
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    created = try values.decodeIfPresent(String.self, forKey: .created)
    author = try values.decodeIfPresent(String.self, forKey: .author)
    architecture = try values.decodeIfPresent(String.self, forKey: .architecture) ?? ""
    os = try values.decodeIfPresent(String.self, forKey: .os) ?? ""
    variant = try values.decodeIfPresent(String.self, forKey: .variant)
    config = try values.decodeIfPresent(Execution.self, forKey: .config) ?? Execution()
    rootfs = try values.decodeIfPresent(RootFS.self, forKey: .rootfs) ?? RootFS()
    history = try values.decodeIfPresent([History].self, forKey: .history) ?? []
  }
}

extension ImageConfig.RootFS {
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    type = try values.decodeIfPresent(String.self, forKey: .type) ?? "layers"
    diffIDs = try values.decodeIfPresent([Digest].self, forKey: .diffIDs) ?? []
    guard type == "layers" else {
      throw DecodingError.dataCorruptedError(
        forKey: .type, in: values, debugDescription: "\"\(type.prefix(100))\", only \"layers\" is known")
    }
  }
}

extension ImageConfig.Execution: Codable {
  enum CodingKeys: String, CodingKey {
    case user = "User"
    case env = "Env"
    case entrypoint = "Entrypoint"
    case cmd = "Cmd"
    case workingDir = "WorkingDir"
    case volumes = "Volumes"
    case exposedPorts = "ExposedPorts"
    case labels = "Labels"
    case stopSignal = "StopSignal"
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    user = try values.decodeIfPresent(String.self, forKey: .user) ?? ""
    env = try values.decodeIfPresent([String].self, forKey: .env) ?? []
    entrypoint = try values.decodeIfPresent(Command.self, forKey: .entrypoint)?.words ?? []
    cmd = try values.decodeIfPresent(Command.self, forKey: .cmd)?.words ?? []
    workingDir = try values.decodeIfPresent(String.self, forKey: .workingDir) ?? ""
    volumes = try values.decodeIfPresent(KeySet.self, forKey: .volumes)?.keys ?? []
    exposedPorts = try values.decodeIfPresent(KeySet.self, forKey: .exposedPorts)?.keys ?? []
    labels = try values.decodeIfPresent([String: String].self, forKey: .labels) ?? [:]
    stopSignal = try values.decodeIfPresent(String.self, forKey: .stopSignal) ?? ""
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    if !user.isEmpty { try values.encode(user, forKey: .user) }
    if !env.isEmpty { try values.encode(env, forKey: .env) }
    if !entrypoint.isEmpty { try values.encode(entrypoint, forKey: .entrypoint) }
    if !cmd.isEmpty { try values.encode(cmd, forKey: .cmd) }
    if !workingDir.isEmpty { try values.encode(workingDir, forKey: .workingDir) }
    if !volumes.isEmpty { try values.encode(KeySet(keys: volumes), forKey: .volumes) }
    if !exposedPorts.isEmpty { try values.encode(KeySet(keys: exposedPorts), forKey: .exposedPorts) }
    if !labels.isEmpty { try values.encode(labels, forKey: .labels) }
    if !stopSignal.isEmpty { try values.encode(stopSignal, forKey: .stopSignal) }
  }
}

/// A list of words; old builders wrote a single string.
private struct Command: Decodable {
  let words: [String]

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if let single = try? value.decode(String.self) { words = [single] } else { words = try value.decode([String].self) }
  }
}

/// A Go `map[string]struct{}`: only its keys mean something.
private struct KeySet: Codable {
  struct Nothing: Codable {
    init() {}
    init(from decoder: any Decoder) throws {}
  }

  let keys: [String]

  init(keys: [String]) { self.keys = keys }

  init(from decoder: any Decoder) throws {
    keys = try decoder.singleValueContainer().decode([String: Nothing].self).keys.sorted()
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(Dictionary(keys.map { ($0, Nothing()) }) { first, _ in first })
  }
}
