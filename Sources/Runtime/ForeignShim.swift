import CLinux

/// A shim binary, and how it is called for one container.
struct ForeignShim {
  var program = Bytes()
  var namespace = Bytes()
  var id = Bytes()
  var bundle = Bytes()
  /// What it takes for containerd's addresses: gRPC, and the ttrpc one for events.
  var daemon = Bytes()
  var events = Bytes()

  private static let startLimit: Int64 = 60_000
  private static let deleteLimit: Int64 = 4_000

  init() {}

  /// As the environment says. Without a sink events go where connecting fails at once: a path that is not there is tried for seconds, event after
  /// event.
  init(_ container: Container, bundle: Bytes) throws(Failure) {
    guard let program = Environment.value("BERTH_V2_SHIM") else {
      throw Failure(.failedPrecondition, "the environment's BERTH_V2_SHIM names no shim (monitor_env of the handler)")
    }
    guard program.first == 47 else { throw Failure(.invalidArgument, "BERTH_V2_SHIM is no absolute path: " + program) }
    self.program = program
    namespace = Environment.value("BERTH_V2_NAMESPACE") ?? Bytes("k8s.io")
    id = container.id
    self.bundle = bundle
    daemon = Environment.value("GRPC_ADDRESS") ?? container.root + "/none.sock"
    events = Environment.value("TTRPC_ADDRESS") ?? Bytes("/dev/null")
  }

  var name: Bytes { "shim " + program }

  /// Starts the shim, or asks for the one that the pod has.
  func start(_ options: ShimOptions?) throws(Failure) -> ShimAddress {
    do throws(Failure) {
      let outcome = try run("start", in: bundle, input: bootstrapParams(options), within: Self.startLimit)
      if outcome.succeeded { return try ShimAddress(answer: outcome.output) }
      // Some of those from before there was such a message take nothing but their options.
      let second = try run("start", in: bundle, input: options?.any ?? [], within: Self.startLimit)
      if second.succeeded { return try ShimAddress(answer: second.output) }
      let (words, others) = (outcome.description, second.description)
      throw Failure(.failedPrecondition, words.elementsEqual(others) ? words : words + "; given its options alone: " + others)
    } catch {
      ProcessIdentity.leftRunning.kill()
      throw error.at(name + ", start for " + id)
    }
  }

  /// Clears up after a shim that is dead. containerd's bundles have their containers' names, and its shims look for them by those: one that has not
  /// gets a second name as long as that lasts.
  func delete() throws(Failure) {
    guard Files.exists(bundle) else { return }
    let named = Bytes(bundle[...(bundle.lastIndex(of: 47) ?? 0)]) + id
    if !named.elementsEqual(bundle) { Files.remove(named) }
    let isLinked = bundle.withCString { bundle in named.withCString { symlink(bundle, $0) } } == 0
    defer { if isLinked { Files.remove(named) } }
    do throws(Failure) {
      let outcome = try run("delete", in: named, input: [], within: Self.deleteLimit)
      if !outcome.succeeded { throw Failure(.internal, outcome.description) }
    } catch {
      throw error.at(name + ", delete of " + id)
    }
  }

  /// containerd.runtime.bootstrap.v1.BootstrapParams: what containerd sends from 2.3 on, whatever the shim's age.
  private func bootstrapParams(_ options: ShimOptions?) -> Bytes {
    var params = ProtobufWriter()
    for (number, value) in [(1, id), (2, namespace), (5, events), (6, daemon)] as [(UInt64, Bytes)] { params.put(number, value) }
    params.put(7, Environment.program)
    if let options {
      var extended = ProtobufWriter()
      extended.message(1, options.any)
      params.message(8, extended.bytes)
    }
    return params.bytes
  }

  private func run(
    _ action: StaticString, in directory: Bytes, input: Bytes, within limit: Int64
  ) throws(Failure) -> ShimCommand.Outcome {
    for (name, value) in [("TTRPC_ADDRESS", events), ("GRPC_ADDRESS", daemon), ("NAMESPACE", namespace)] as [(StaticString, Bytes)] {
      Environment.set(name, value)
    }
    Environment.set("GOMAXPROCS", Bytes("2"))
    Environment.set("PWD", directory)
    Environment.set("MAX_SHIM_VERSION", Bytes("2"))
    let isDelete = Bytes(action).matches("delete")
    let words: [Bytes] =
      [program, Bytes("-namespace"), namespace, Bytes("-id"), id, Bytes("-address"), daemon, Bytes("-publish-binary"), Environment.program]
      + (isDelete ? [Bytes("-bundle"), bundle] : []) + [Bytes(action)]
    return try ShimCommand(words, directory: directory).run(input, within: limit)
  }
}
