import CLinux

/// `berth-shim serve --id ID --dir DIRECTORY` with a listening socket as descriptor 3, or `berth-shim --version`.
enum Invocation {
  private static let usage: StaticString =
    "usage: berth-shim serve --id ID --dir DIRECTORY (a listening socket is descriptor 3) | berth-shim --version"

  static func run() -> Int32 {
    let arguments = (0..<shim_argc()).compactMap { shim_argv($0).map { Bytes(cString: $0) } }
    if arguments.count == 2, arguments[1].matches("--version") {
      _ = Files.writeAll(1, Bytes(version) + [10])
      return 0
    }
    guard arguments.count > 1, arguments[1].matches("serve") else { return refuse() }
    guard option("--id", arguments) != nil, let directory = option("--dir", arguments), isPath(directory) else { return refuse() }
    serve(directory)
  }

  private static func option(_ name: StaticString, _ arguments: [Bytes]) -> Bytes? {
    guard let index = arguments.firstIndex(where: { $0.matches(name) }), index + 1 < arguments.count else { return nil }
    return arguments[index + 1]
  }

  private static func refuse() -> Int32 {
    note(Bytes(usage))
    return 2
  }

  private static func serve(_ directory: Bytes) -> Never {
    shim_small_heap()
    shim_clean_environment()
    setsid()
    if shim_become_reaper() < 0 { note(SystemFailure("prctl", Bytes("subreaper")).message) }
    _ = clinux_fcntl_int(3, F_SETFD, FD_CLOEXEC)
    if !Files.makeDirectory(directory + "/exits") { note(SystemFailure("exits in", directory).message) }
    Shim(directory: directory).run()
  }
}
