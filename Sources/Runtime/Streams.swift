import CLinux

/// The streams of a process as they go through the shim. This side's ends are open from the beginning, so that the shim's open at once.
struct Streams {
  let hasTerminal: Bool
  private let route: StreamRoute
  private let name: Bytes
  private(set) var input: Endpoint?
  private(set) var output: Endpoint
  private(set) var error: Endpoint?

  /// `name` sets them apart from those of the shim's other processes. Without stdin (a /dev/null of this process) there is none.
  init(_ route: StreamRoute, name: Bytes, hasTerminal: Bool) throws(Failure) {
    (self.route, self.name, self.hasTerminal) = (route, name, hasTerminal)
    do throws(Failure) {
      output = try route.open("stdout", of: name, isInput: false)
      if hasTerminal || Self.isStream(0) { input = try route.open("stdin", of: name, isInput: true) }
      if !hasTerminal { error = try route.open("stderr", of: name, isInput: false) }
    } catch {
      route.remove(name)
      throw error
    }
  }

  /// Fields of CreateTaskRequest or ExecProcessRequest, which differ in their first number: terminal, stdin, stdout, stderr.
  func put(in request: inout ProtobufWriter, from first: UInt64) {
    request.put(first, hasTerminal)
    if input != nil { request.put(first + 1, route.place("stdin", of: name)) }
    request.put(first + 2, route.place("stdout", of: name))
    if error != nil { request.put(first + 3, route.place("stderr", of: name)) }
  }

  func remove() { route.remove(name) }

  /// By whoever did not keep its ends.
  func openAgain() -> [Int32] { route.openAgain(name) }

  private static func isStream(_ fd: Int32) -> Bool {
    var status = stat()
    return fstat(fd, &status) == 0 && clinux_file_type(UInt32(status.st_mode)) != 0o020000
  }
}
