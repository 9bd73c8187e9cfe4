import CLinux

/// The FIFOs by which a process's streams go through the shim. This side's ends are open from the beginning, so that the shim's open at once.
struct Streams {
  let hasTerminal: Bool
  private let base: Bytes
  private(set) var input: Int32 = -1
  private(set) var output: Int32 = -1
  private(set) var error: Int32 = -1

  /// `name` sets them apart from those of the container's other processes. Without stdin (a /dev/null of this process) there is none.
  init(in directory: Bytes, name: Bytes, hasTerminal: Bool) throws(Failure) {
    base = directory + "/" + name
    self.hasTerminal = hasTerminal
    do throws(Failure) {
      if hasTerminal || Self.isStream(0) { input = try Self.open(inputPath, O_RDWR) }
      output = try Self.open(outputPath, O_RDONLY)
      if !hasTerminal { error = try Self.open(errorPath, O_RDONLY) }
    } catch {
      remove()
      throw error
    }
  }

  private var inputPath: Bytes { base + "-stdin" }
  private var outputPath: Bytes { base + "-stdout" }
  private var errorPath: Bytes { base + "-stderr" }

  /// Fields of CreateTaskRequest or ExecProcessRequest, which differ in their first number: terminal, stdin, stdout, stderr.
  func put(in request: inout ProtobufWriter, from first: UInt64) {
    request.put(first, hasTerminal)
    if input >= 0 { request.put(first + 1, inputPath) }
    request.put(first + 2, outputPath)
    if error >= 0 { request.put(first + 3, errorPath) }
  }

  func remove() { for path in [inputPath, outputPath, errorPath] { Files.remove(path) } }

  private static func isStream(_ fd: Int32) -> Bool {
    var status = stat()
    return fstat(fd, &status) == 0 && clinux_file_type(UInt32(status.st_mode)) != 0o020000
  }

  private static func open(_ path: Bytes, _ mode: Int32) throws(Failure) -> Int32 {
    guard path.withCString({ mkfifo($0, 0o600) }) == 0 else { throw SystemFailure.failure("FIFO", path) }
    let fd = path.withCString { clinux_openat(AT_FDCWD, $0, mode | O_NONBLOCK | O_CLOEXEC, 0) }
    guard fd >= 0 else { throw SystemFailure.failure("opening", path) }
    return fd
  }
}
