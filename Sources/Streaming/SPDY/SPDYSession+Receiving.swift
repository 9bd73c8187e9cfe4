import NIOCore

extension SPDYSession {
  /// nil where the frame is no event for the caller.
  mutating func receive(_ frame: SPDYFrame) throws(SPDYViolation) -> Event? {
    switch frame {
    case .synStream(let id, let flags, let block): return try opened(id, flags, HeaderBlock(decoding: inflater.inflate(block)))
    case .synReply(let id, _, let block):
      _ = try inflater.inflate(block)
      try answer(SPDYFrameWriter.resetStream(id, .invalidStream))
      return nil
    case .headers(let id, let flags, let block):
      _ = try inflater.inflate(block)
      return flags & SPDYFlag.fin != 0 ? ended(id) : nil
    case .data(let id, let bytes, let end): return try data(id, bytes, end: end)
    case .resetStream(let id, _): return streams.removeValue(forKey: id) == nil ? nil : .reset(id)
    case .settings(let settings): return settings.isEmpty ? nil : try apply(settings)
    case .windowUpdate(let id, let delta): return try widen(id, Int(delta))
    case .ping(let id):
      // Even numbers would be answers to pings of ours, and there are none.
      if id % 2 == 1 { try answer(SPDYFrameWriter.ping(id)) }
      return nil
    // The client opens no more streams; those that are open go on.
    case .goAway: return nil
    }
  }

  private mutating func opened(_ id: UInt32, _ flags: UInt8, _ headers: HeaderBlock) throws(SPDYViolation) -> Event? {
    guard id % 2 == 1, id > lastStream else { throw SPDYViolation("stream \(id) after stream \(lastStream)") }
    lastStream = id
    guard streams.count < Self.streamLimit, !isGoingAway else {
      try answer(SPDYFrameWriter.resetStream(id, .refusedStream))
      return nil
    }
    var stream = Stream(sendWindow: initialSendWindow)
    stream.remoteEnded = flags & SPDYFlag.fin != 0
    stream.localEnded = flags & SPDYFlag.unidirectional != 0
    streams[id] = stream
    return .opened(id, headers, ended: stream.remoteEnded)
  }

  private mutating func data(_ id: UInt32, _ bytes: ByteBuffer, end: Bool) throws(SPDYViolation) -> Event? {
    guard let stream = streams[id] else {
      // Of a stream that is closed: was on its way when we closed it.
      if id > lastStream { try answer(SPDYFrameWriter.resetStream(id, .invalidStream)) }
      giveBack(bytes.readableBytes)
      return nil
    }
    guard !stream.remoteEnded else {
      giveBack(bytes.readableBytes)
      try answer(SPDYFrameWriter.resetStream(id, .streamAlreadyClosed))
      streams[id] = nil
      return .reset(id)
    }
    if !end { return bytes.readableBytes > 0 ? .data(id, bytes) : nil }
    guard bytes.readableBytes > 0 else { return ended(id) }
    endsNext = id
    return .data(id, bytes)
  }

  /// The client's half-close of a stream.
  mutating func ended(_ id: UInt32) -> Event? {
    guard let stream = streams[id], !stream.remoteEnded else { return nil }
    streams[id]?.remoteEnded = true
    forgetIfClosed(id)
    return .ended(id)
  }

  /// Section 2.6.4: a change of the initial window moves the windows of all open streams by the difference.
  private mutating func apply(_ settings: [SPDYSetting]) throws(SPDYViolation) -> Event? {
    for setting in settings where setting.id == SPDYSetting.initialWindow {
      guard setting.value <= UInt32(Int32.max) else { throw SPDYViolation("an initial window of \(setting.value) bytes") }
      peerKnowsFlowControl = true
      let change = Int(setting.value) - initialSendWindow
      initialSendWindow = Int(setting.value)
      for id in streams.keys { streams[id]?.sendWindow += change }
      for id in streams.keys { sendPending(id) }
    }
    return .windowOpened
  }

  /// Section 2.6.8; stream 0 is the connection (3.1).
  private mutating func widen(_ id: UInt32, _ delta: Int) throws(SPDYViolation) -> Event? {
    peerKnowsFlowControl = true
    if id == 0 {
      sendWindow += delta
      guard sendWindow <= Int(Int32.max) else { throw SPDYViolation("a window of more than 2 GiB") }
      for id in streams.keys { sendPending(id) }
      return .windowOpened
    }
    guard let window = streams[id]?.sendWindow else { return nil }
    guard window + delta <= Int(Int32.max) else {
      streams[id] = nil
      try answer(SPDYFrameWriter.resetStream(id, .flowControlError))
      return .reset(id)
    }
    streams[id]?.sendWindow = window + delta
    sendPending(id)
    return .windowOpened
  }
}
