import NIOCore

extension SPDYSession {
  mutating func accept(_ id: UInt32) {
    guard streams[id] != nil else { return }
    outgoing.append(SPDYFrameWriter.synReply(id, block: deflater.deflate(HeaderBlock().encoded)))
  }

  /// Whether the stream would send at once.
  func canSend(_ id: UInt32) -> Bool { room(id) > 0 }

  /// Bytes that the stream would send at once, in one frame.
  func room(_ id: UInt32) -> Int {
    guard let stream = streams[id], stream.pending.readableBytes == 0 else { return 0 }
    return peerKnowsFlowControl ? max(0, min(stream.sendWindow, sendWindow)) : SPDYFrameWriter.maximumData
  }

  /// One frame of which only the beginning is given; the other `count` bytes of its payload are written by the caller. No more than ``room(_:)``.
  mutating func send(_ id: UInt32, _ bytes: ByteBuffer, followedBy count: Int) {
    let length = bytes.readableBytes + count
    outgoing.append(SPDYFrameWriter.dataHead(id, length: length, fin: false))
    outgoing.append(bytes)
    spend(id, length)
  }

  private mutating func spend(_ id: UInt32, _ count: Int) {
    streams[id]?.sendWindow -= count
    sendWindow -= count
  }

  /// Sends what the windows allow and keeps the rest: ask ``canSend(_:)`` before the next piece.
  mutating func send(_ id: UInt32, _ bytes: ByteBuffer) {
    guard let stream = streams[id], !stream.localEnded, !stream.finPending else { return }
    if stream.pending.readableBytes > 0 {
      streams[id]?.pending.writeImmutableBuffer(bytes)
    } else {
      streams[id]?.pending = bytes
    }
    sendPending(id)
  }

  /// Half-close of our side, after all that was sent.
  mutating func finish(_ id: UInt32) {
    guard let stream = streams[id], !stream.localEnded else { return }
    streams[id]?.finPending = true
    sendPending(id)
  }

  mutating func reset(_ id: UInt32, _ status: SPDYResetStatus) {
    guard streams.removeValue(forKey: id) != nil else { return }
    outgoing.append(SPDYFrameWriter.resetStream(id, status))
  }

  /// No new streams from here on.
  mutating func goAway(failed: Bool = false) {
    guard !isGoingAway else { return }
    isGoingAway = true
    outgoing.append(SPDYFrameWriter.goAway(lastGood: lastStream, failed: failed))
  }

  /// `count` bytes of a stream's data were passed on; half a window's worth is given back at a time.
  mutating func took(_ id: UInt32, _ count: Int) {
    giveBack(count)
    guard let stream = streams[id], !stream.remoteEnded else { return }
    let credit = stream.credit + count
    if credit >= Self.window / 2 {
      outgoing.append(SPDYFrameWriter.windowUpdate(id, delta: UInt32(credit)))
      streams[id]?.credit = 0
    } else {
      streams[id]?.credit = credit
    }
  }

  mutating func giveBack(_ count: Int) {
    credit += count
    guard credit >= Self.sessionWindow / 2 else { return }
    outgoing.append(SPDYFrameWriter.windowUpdate(0, delta: UInt32(credit)))
    credit = 0
  }

  mutating func sendPending(_ id: UInt32) {
    guard let stream = streams[id] else { return }
    let wanted = stream.pending.readableBytes
    let allowed = peerKnowsFlowControl ? max(0, min(wanted, stream.sendWindow, sendWindow)) : wanted
    let fin = stream.finPending && allowed == wanted
    guard allowed > 0 || fin else { return }
    var left = allowed
    repeat {
      let count = min(left, SPDYFrameWriter.maximumData)
      left -= count
      appendData(id, count, fin: fin && left == 0)
    } while left > 0
    if fin { streams[id]?.localEnded = true }
    forgetIfClosed(id)
  }

  private mutating func appendData(_ id: UInt32, _ count: Int, fin: Bool) {
    outgoing.append(SPDYFrameWriter.dataHead(id, length: count, fin: fin))
    if count > 0, let bytes = streams[id]?.pending.readSlice(length: count) { outgoing.append(bytes) }
    // A reader at its end must not keep the storage of what was sent.
    if streams[id]?.pending.readableBytes == 0 { streams[id]?.pending = ByteBuffer() }
    spend(id, count)
  }

  mutating func forgetIfClosed(_ id: UInt32) {
    if let stream = streams[id], stream.localEnded, stream.remoteEnded { streams[id] = nil }
  }
}
