import CLinux

/// `create --bundle DIR --pid-file FILE [--console-socket SOCKET] ID`
struct Create {
  private static let connectLimit: Int64 = 10_000

  private let arguments: Arguments
  private let container: Container
  private let bundle: Bytes

  init(_ arguments: Arguments) throws(Failure) {
    self.arguments = arguments
    container = try arguments.container
    bundle = try arguments.required("--bundle", "-b")
  }

  func run() throws(Failure) {
    guard Files.exists(bundle + "/config.json") else { throw SystemFailure.failure("bundle", bundle + "/config.json") }
    var record = ContainerRecord(shim: try ForeignShim(container, bundle: bundle))
    try container.makeDirectory()
    do throws(Failure) {
      try container.save(record)
      try create(&record)
    } catch {
      record.isBeingMade = false
      _ = try? Deletion(container, record).run()
      throw error
    }
  }

  private func create(_ record: inout ContainerRecord) throws(Failure) {
    try JoinedNamespaces.correct(container, bundle: bundle)
    let options = ShimOptions(arguments)
    let log = try openLog()
    let client = try reach(&record, options)
    var birth = try Birth(TaskProcess(id: container.id), of: record, in: container, arguments)
    birth.log = log
    var request = ProtobufWriter()
    request.put(1, container.id)
    request.put(2, bundle)
    if let image = try GuestImage(bundle: bundle) { request.message(3, image.mount) }
    birth.streams.put(in: &request, from: 4)
    if let options { request.put(10, options.any) }
    record.isBeingMade = true
    try container.save(record)
    (record.proxy, record.task) = try birth.run(client) { () throws(Failure) in
      Int32(truncatingIfNeeded: TaskProcess.number(1, of: try client.call("Create", request.bytes)))
    }
    record.isBeingMade = false
    try container.save(record)
  }

  /// A shim opens this as its log, and waits until somebody reads it.
  private func openLog() throws(Failure) -> Int32 {
    let path = bundle + "/log"
    guard path.withCString({ mkfifo($0, 0o600) }) == 0 || clinux_errno() == EEXIST else { throw SystemFailure.failure("FIFO", path) }
    let fd = path.withCString { clinux_openat(AT_FDCWD, $0, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, 0) }
    guard fd >= 0 else { throw SystemFailure.failure("opening", path) }
    return fd
  }

  /// The pod's shim, with this container written down as one of its own before anybody could think that it has none.
  private func reach(_ record: inout ContainerRecord, _ options: ShimOptions?) throws(Failure) -> TaskClient {
    let lock = PodLock(bundle: bundle, patience: 30_000)
    defer { lock.release() }
    let address = try record.shim.start(options)
    (record.address, record.version, record.process) = (address.text, address.version, ProcessIdentity.leftRunning)
    try container.save(record)
    do throws(Failure) {
      let client = try TaskClient(address.text, version: address.version)
      let answer = try client.call("Connect", TaskProcess(id: container.id).request, within: Self.connectLimit)
      record.version = client.version
      record.process = ProcessIdentity(of: Int32(truncatingIfNeeded: TaskProcess.number(1, of: answer)))
      try container.save(record)
      return client
    } catch {
      throw error.at(record.shim.name + ", container " + container.id)
    }
  }
}
