package import Core
import Linux

/// Finds the programs that berthd starts.
package enum Executables {
  /// Where programs are looked for that the configuration gives no path of.
  package static let searchPath = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]

  /// First of `directories` that has an executable file `name`.
  package static func find(_ name: String, in directories: [String] = searchPath) -> String? {
    directories.map { "\($0)/\(name)" }.first(where: Files.isExecutable)
  }
}

extension Configuration.Runtimes {
  /// The program of a handler, an OCI runtime or another's shim; the default one for an empty name.
  /// NOT_FOUND for a handler that is not configured, FAILED_PRECONDITION where its program is missing.
  package func executable(of name: String) throws(Fault) -> String {
    let name = name.isEmpty ? standard : name
    guard let runtime = handlers[name] else {
      throw Fault(.notFound, "runtime \"\(name)\" is not configured (known: \(handlers.keys.sorted().joined(separator: ", ")))")
    }
    if runtime.inheritsProgram, name != standard { return try executable(of: standard) }
    if let path = runtime.path {
      guard Files.isExecutable(path) else { throw Fault(.failedPrecondition, "runtime \"\(name)\": \(path) is no executable file") }
      return path
    }
    let program = runtime.kind.program ?? name
    if let path = Executables.find(program) { return path }
    let places = Executables.searchPath.joined(separator: ":")
    throw Fault(
      .failedPrecondition, "runtime \"\(name)\": no program \"\(program)\" in \(places); install it or set [runtimes.\(name)] path")
  }
}

extension Configuration.Shim {
  /// berth-shim; `daemonDirectory` is where berthd's own executable is. FAILED_PRECONDITION where there is none.
  package func executable(beside daemonDirectory: String) throws(Fault) -> String {
    let name = "berth-shim"
    if let path {
      guard Files.isExecutable(path) else { throw Fault(.failedPrecondition, "shim: \(path) is no executable file") }
      return path
    }
    let places = [daemonDirectory, "/usr/libexec/berth"] + Executables.searchPath
    if let found = Executables.find(name, in: places) { return found }
    throw Fault(.failedPrecondition, "shim: no \(name) in \(places.joined(separator: ":")); set [shim] path")
  }

  /// A program that comes with berth-shim, which is `shim`. FAILED_PRECONDITION where there is none.
  package static func companion(_ name: String, of shim: String) throws(Fault) -> String {
    let places = [Files.parent(of: shim), "/usr/libexec/berth"] + Executables.searchPath
    if let found = Executables.find(name, in: places) { return found }
    throw Fault(.failedPrecondition, "no \(name) in \(places.joined(separator: ":")); it belongs beside berth-shim")
  }
}
