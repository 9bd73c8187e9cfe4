import CLinux

/// The dialer thread's work: connects that have begun, and the namespace that it must always come back to.
struct DialLoop: ~Copyable {
  private let wake: FileHandle
  private var attempts: [DialAttempt] = []
  private var home: Int32 = -1

  init(wake: consuming FileHandle) { self.wake = wake }

  /// Until `collect` gives nil, or the thread cannot come back from a namespace.
  mutating func run(_ collect: () -> [DialRequest]?) {
    home = clinux_openat(AT_FDCWD, "/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC, 0)
    defer { if home >= 0 { _ = close(home) } }
    while let requests = collect() {
      for request in requests {
        guard begin(request) else { return abandon() }
      }
      waitForChange()
      settle()
    }
    abandon()
  }

  private mutating func abandon() {
    for attempt in attempts { attempt.give(up: ECANCELED) }
    attempts = []
  }

  /// False where this thread is of no more use: it is in a namespace that is not its own.
  private mutating func begin(_ request: DialRequest) -> Bool {
    guard let path = request.netns else {
      attempts.append(DialAttempt(request))
      return true
    }
    let namespace = clinux_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0)
    guard namespace >= 0 else {
      request.fail(clinux_errno(), call: "open", object: path)
      return true
    }
    defer { _ = close(namespace) }
    guard home >= 0, setns(namespace, CLONE_NEWNET) == 0 else {
      request.fail(clinux_errno(), call: "setns", object: path)
      return true
    }
    attempts.append(DialAttempt(request))
    return setns(home, CLONE_NEWNET) == 0
  }

  private func waitForChange() {
    var entries = [pollfd(fd: wake.raw, events: Int16(POLLIN), revents: 0)]
    var timeout: Duration?
    if attempts.contains(where: { $0.current < 0 }) { return }
    for attempt in attempts {
      entries.append(pollfd(fd: attempt.current, events: Int16(POLLOUT), revents: 0))
      let left = ContinuousClock.now.duration(to: attempt.request.deadline)
      timeout = min(timeout ?? left, left)
    }
    let milliseconds = timeout.map { max(0, $0.components.seconds * 1000 + $0.components.attoseconds / 1_000_000_000_000_000 + 1) } ?? -1
    _ = poll(&entries, nfds_t(entries.count), Int32(clamping: milliseconds))
    var byte: (UInt64, UInt64) = (0, 0)
    while read(wake.raw, &byte, 16) > 0 {}
  }

  /// Ends what is connected, tries the other family where one refused, gives up at the deadline.
  private mutating func settle() {
    var left: [DialAttempt] = []
    for var attempt in attempts {
      if !attempt.proceed() { left.append(attempt) }
    }
    attempts = left
  }
}

/// One connect: the sockets of both families were made in the namespace, and are tried one after the other.
struct DialAttempt {
  let request: DialRequest
  /// Sockets not yet tried.
  private var rest: [(family: Int32, socket: Int32)] = []
  /// The socket that is being connected; -1 where none is left.
  private(set) var current: Int32 = -1
  private var firstError: Int32 = 0

  init(_ request: DialRequest) {
    self.request = request
    for family in [4, 6] as [Int32] {
      let socket = clinux_tcp_socket(family)
      if socket >= 0 { rest.append((family, socket)) } else { note(clinux_errno()) }
    }
    tryNext()
  }

  /// True when there is nothing left to wait for.
  mutating func proceed() -> Bool {
    while current >= 0 {
      guard isReady() else {
        if ContinuousClock.now < request.deadline { return false }
        give(up: ETIMEDOUT)
        return true
      }
      let error = clinux_socket_error(current)
      if error == 0 { return succeed() }
      note(error)
      _ = close(current)
      tryNext()
    }
    request.fail(firstError)
    return true
  }

  /// Closes everything.
  func give(up number: Int32) {
    if current >= 0 { _ = close(current) }
    for (_, socket) in rest { _ = close(socket) }
    request.fail(number)
  }

  private func succeed() -> Bool {
    for (_, socket) in rest { _ = close(socket) }
    request.continuation.resume(returning: current)
    return true
  }

  private func isReady() -> Bool {
    var entry = pollfd(fd: current, events: Int16(POLLOUT), revents: 0)
    return poll(&entry, 1, 0) > 0
  }

  private mutating func note(_ error: Int32) { if firstError == 0 { firstError = error } }

  private mutating func tryNext() {
    current = -1
    while !rest.isEmpty {
      let (family, socket) = rest.removeFirst()
      if clinux_connect_loopback(socket, family, request.port) == 0 || clinux_errno() == EINPROGRESS {
        current = socket
        return
      }
      note(clinux_errno())
      _ = close(socket)
    }
  }
}
