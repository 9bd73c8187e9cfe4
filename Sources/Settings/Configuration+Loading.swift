import Linux

extension Configuration {
  package static let standardPath = "/etc/berth/config.toml"

  /// Reads `path`, then every `config.d/*.toml` beside it in the order of their names; later files override earlier ones key by key.
  /// All of them are optional; where `mustExist` (an operator named the file), `path` itself is not.
  package static func load(_ path: String = standardPath, mustExist: Bool = false) throws(SettingsError) -> Configuration {
    var documents: [Document] = []
    if let document = try Document.read(path) {
      documents.append(document)
    } else if mustExist {
      throw SettingsError(path, "no such file")
    }
    for dropIn in try dropIns(beside: path) {
      if let document = try Document.read(dropIn) { documents.append(document) }
    }
    return try Configuration(documents)
  }

  init(_ documents: [Document]) throws(SettingsError) {
    self.init()
    for document in documents { try apply(document) }
    try checkTLS(documents)
    try checkStandardRuntime(documents)
  }

  /// A drop-in may name a runtime that another one describes, so this is asked when all are read.
  private func checkStandardRuntime(_ documents: [Document]) throws(SettingsError) {
    let key = ["runtimes", "default"]
    guard runtimes.handlers[runtimes.standard] == nil, let document = documents.last(where: { $0.keys.line(of: key) != nil }) else {
      return
    }
    let known = runtimes.handlers.keys.sorted().joined(separator: ", ")
    throw SettingsError(
      document.file, line: document.keys.line(of: key),
      "\"runtimes.default\" names \"\(runtimes.standard)\", but there is no [runtimes.\(runtimes.standard)] (known: \(known))")
  }

  private static func dropIns(beside path: String) throws(SettingsError) -> [String] {
    let directory = (path.contains("/") ? Files.parent(of: path) + "/" : "") + "config.d"
    do {
      return try Files.list(directory).filter { $0.hasSuffix(".toml") && !$0.hasPrefix(".") }.map { "\(directory)/\($0)" }
    } catch {
      if error.number == error.noEntry { return [] }
      throw SettingsError(directory, "\(error)")
    }
  }

  /// Changes what the keys of `document` say.
  mutating func apply(_ document: Document) throws(SettingsError) {
    try TableReader.read(document) { (table) throws(SettingsError) in
      try table.set(&root, "root", check: Check.absolute)
      try table.set(&state, "state", check: Check.absolute)
      try table.set(&logLevel, "log_level")
      try table.within("grpc") { (table) throws(SettingsError) in try grpc.apply(&table) }
      try table.within("streaming") { (table) throws(SettingsError) in try streaming.apply(&table) }
      try table.within("metrics") { (table) throws(SettingsError) in try metrics.apply(&table) }
      try table.within("stats") { (table) throws(SettingsError) in try stats.apply(&table) }
      try table.within("events") { (table) throws(SettingsError) in try events.apply(&table) }
      try table.within("tracing") { (table) throws(SettingsError) in try tracing.apply(&table) }
      try table.within("registry") { (table) throws(SettingsError) in try registry.apply(&table) }
      try table.within("cni") { (table) throws(SettingsError) in try cni.apply(&table) }
      try table.within("runtimes") { (table) throws(SettingsError) in try runtimes.apply(&table) }
      try table.within("snapshots") { (table) throws(SettingsError) in try snapshots.apply(&table) }
      try table.within("cgroups") { (table) throws(SettingsError) in
        try table.set(&cgroups.driver, "driver") { ["cgroupfs", "systemd"].contains($0) ? nil : "must be cgroupfs or systemd" }
      }
      try table.within("pods") { (table) throws(SettingsError) in try pods.apply(&table) }
      try table.within("cdi") { (table) throws(SettingsError) in
        try table.set(&cdi.directories, "spec_dirs", check: Check.absoluteList)
      }
      try table.within("containers") { (table) throws(SettingsError) in try containers.apply(&table) }
      try table.within("images") { (table) throws(SettingsError) in try images.apply(&table) }
      try table.within("workloads") { (table) throws(SettingsError) in
        try table.eachTable { (name, table) throws(SettingsError) in try workloads[name, default: .init()].apply(&table) }
      }
      try table.within("shim") { (table) throws(SettingsError) in try shim.apply(&table) }
    }
  }
}

extension Configuration.GRPC {
  mutating func apply(_ table: inout TableReader) throws(SettingsError) {
    try table.set(&address, "address", check: Check.socket)
    try table.set(&maximumReceiveSize, "max_recv_message_size", check: Check.range(4096...(1 << 30)))
    try table.set(&maximumSendSize, "max_send_message_size", check: Check.range(4096...(1 << 30)))
  }
}

extension Configuration.LogLevel: SettingValue {
  static var expected: String { "one of " + allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ") }
}
