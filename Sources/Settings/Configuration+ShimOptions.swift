/// The options that a handler's shim takes where it is another's.
extension Configuration.Runtime {
  private static let runcOptions = "containerd.runc.v1.Options"

  /// Their type, as containerd tells: its own shims for runc have options of their own. Nil for those that most take.
  package var optionsType: String? {
    if shimOptionsType == nil, case .named(let name) = kind, name.hasPrefix("io.containerd.runc.") { return Self.runcOptions }
    return shimOptionsType
  }

  /// Whether options of runc's create get to where they are meant for: by the command line, or in the shim's options.
  var takesRuncOptions: Bool { !kind.isForeign || optionsType == Self.runcOptions }
}
