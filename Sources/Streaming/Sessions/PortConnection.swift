import Core
import Linux
import Logging
import NIOCore

/// One forwarded connection: a socket in the pod's network, a stream for its bytes and one for what went wrong.
final class PortConnection {
  let port: UInt16
  private let error: any Substream
  private let readSize: Int
  private let pump: Pump
  private let target: PortForward.Target
  private let loop: any EventLoop
  private var isOver = false
  var whenOver: () -> Void = {}

  /// `readSize`: bytes of one read from the pod.
  init(_ port: UInt16, data: any Substream, error: any Substream, readSize: Int, target: PortForward.Target, on loop: any EventLoop) {
    self.port = port
    self.error = error
    self.readSize = readSize
    self.target = target
    self.loop = loop
    let box = WeakBox()
    pump = Pump(data, toClient: true, toDescriptor: true) { _ in box.connection?.over() }
    box.connection = self
  }

  /// The pump's end comes when this exists, but must not keep it.
  private final class WeakBox { weak var connection: PortConnection? }

  func begin() {
    let bound = NIOLoopBound(self, eventLoop: loop)
    let (port, netns, dialer) = (port, target.netns, target.dialer)
    Errand.run(from: loop, target.work) {
      try await dialer.dial(port, netns: netns(), timeout: PortForward.connectTime)
    } then: {
      bound.value.dialled($0)
    }
  }

  private func dialled(_ result: Result<Int32, Fault>) {
    switch result {
    case .success(let socket) where isOver: _ = FileHandle(owning: socket)
    case .success(let socket): pump.run(socket: socket, readSize: readSize, on: loop)
    case .failure(let fault): refused(fault)
    }
  }

  /// The client ends its own session on any message here, so this is only for what it must know: nothing listens, or the pod is gone.
  private func refused(_ fault: Fault) {
    guard !isOver else { return }
    target.logger.debug("port-forward: not connected", metadata: ["pod": "\(target.pod)", "port": "\(port)", "error": "\(fault)"])
    target.span?.event("connection refused", ["berth.port": .int(Int64(port)), "exception.message": .string(fault.message)])
    error.send(ByteBuffer(string: "error forwarding port \(port) to pod \(target.pod): \(fault.message)"))
    error.finish()
    pump.close()
  }

  /// The socket's end, by itself or by a reset; the latter shows on the data stream.
  private func over() {
    guard !isOver else { return }
    isOver = true
    error.finish()
    whenOver()
    whenOver = {}
  }

  func abandon() {
    isOver = true
    whenOver = {}
    pump.abandon()
  }
}
