import CLinux

/// How streams go between the shim and this program.
enum StreamRoute {
  /// By FIFOs in a directory of this program's.
  case fifos(Bytes)
  /// By the Streaming service of a shim at this address (containerd's `io_type = "streaming"`).
  case service(Bytes)

  private static let names: [StaticString] = ["stdin", "stdout", "stderr"]

  /// As the environment says.
  init(in container: Container, at address: Bytes) throws(Failure) {
    let word = Environment.value("BERTH_V2_IO_TYPE") ?? Bytes("fifo")
    if word.matches("fifo") {
      self = .fifos(container.directory)
    } else if word.matches("streaming") {
      self = .service(address)
    } else {
      throw Failure(.invalidArgument, "the environment's BERTH_V2_IO_TYPE is neither fifo nor streaming: " + word)
    }
  }

  /// What the shim is told of the stream.
  func place(_ stream: StaticString, of name: Bytes) -> Bytes {
    let id = name + "-" + Bytes(stream)
    switch self {
    case .fifos(let directory): return directory + "/" + id
    case .service(let address): return "ttrpc+" + (address.hasPrefix("unix://") ? address : "unix://" + address) + "?streaming_id=" + id
    }
  }

  func open(_ stream: StaticString, of name: Bytes, isInput: Bool) throws(Failure) -> Endpoint {
    switch self {
    case .fifos: return try Self.openFIFO(place(stream, of: name), isInput ? O_RDWR : O_RDONLY)
    case .service(let address): return try ByteStream.open(name + "-" + Bytes(stream), at: address, isWriter: isInput)
    }
  }

  /// What is left of all the streams of that name.
  func remove(_ name: Bytes) {
    guard case .fifos = self else { return }
    for stream in Self.names { Files.remove(place(stream, of: name)) }
  }

  /// Both ends of every FIFO of that name.
  func openAgain(_ name: Bytes) -> [Int32] {
    guard case .fifos = self else { return [] }
    return Self.names.map { stream in
      place(stream, of: name).withCString { clinux_openat(AT_FDCWD, $0, O_RDWR | O_NONBLOCK | O_CLOEXEC, 0) }
    }.filter { $0 >= 0 }
  }

  private static func openFIFO(_ path: Bytes, _ mode: Int32) throws(Failure) -> Endpoint {
    guard path.withCString({ mkfifo($0, 0o600) }) == 0 else { throw SystemFailure.failure("FIFO", path) }
    let fd = path.withCString { clinux_openat(AT_FDCWD, $0, mode | O_NONBLOCK | O_CLOEXEC, 0) }
    guard fd >= 0 else { throw SystemFailure.failure("opening", path) }
    return Endpoint(fd)
  }
}
