import NIOCore

extension ConnectionHandler: ByteSink {
  var canWrite: Bool { lane?.isBusy != true && context?.channel.isWritable ?? false }

  func write(_ bytes: ByteBuffer) {
    guard let context else { return }
    lastActivity = .now()
    if lane?.hold(bytes) != true { context.write(Self.wrapOutboundOut(bytes), promise: nil) }
  }

  func flush() { if lane?.isBusy != true { context?.flush() } }

  func pauseReading(_ pause: Bool) {
    isPaused = pause
    if !pause { context?.read() }
  }

  /// Closing with bytes unread would make the kernel reset the connection, and the client lose what it has not read; and Kubernetes' SPDY
  /// clients drop frames they have not handled when they see the end. So the client is to close first.
  func end(waiting: Bool) {
    guard let context else { return }
    state = .over
    pauseReading(false)
    if lane?.hold(end: waiting) == true { return }
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    // An idle client that reads nothing is still bound by the idle time until then.
    context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer())).whenComplete { _ in
      if waiting { bound.value.linger() } else { bound.value.halfClose() }
    }
  }

  private func linger() { setDeadline(server.limits.lingerTime) { $0.halfClose() } }

  private func halfClose() {
    context?.close(mode: .output, promise: nil)
    setDeadline(server.limits.closeTime) { $0.context?.close(promise: nil) }
  }
}
