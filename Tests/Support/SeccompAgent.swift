import CLinux
import Linux
import NIOPosix
import Synchronization

/// An agent as seccomp profiles name one (`listenerPath`): OCI runtimes hand it containers' filters, and it answers each call that one asks about with
/// the same error (seccomp_unotify(2)).
package final class SeccompAgent: Sendable {
  private struct Seen {
    var states: [String] = []
    var answers = 0
    var isOver = false
  }

  /// `SECCOMP_IOCTL_NOTIF_RECV` and `SECCOMP_IOCTL_NOTIF_SEND` of <linux/seccomp.h>, and the words of their structures.
  private static let receive: (request: UInt, words: Int) = (0xC050_2100, 10)
  private static let send: (request: UInt, words: Int) = (0xC018_2101, 3)

  private let error: Int32
  private let seen = Mutex(Seen())

  private init(error: Int32) { self.error = error }

  /// What the runtimes said of each process whose filter they handed over: JSON, "The Container Process State" of config-linux.md.
  package var states: [String] { seen.withLock { $0.states } }
  package var answers: Int { seen.withLock { $0.answers } }

  /// Listens at `path` while `body` runs.
  package static func with(at path: String, error: Int32, _ body: (SeccompAgent) async throws -> Void) async throws {
    let agent = SeccompAgent(error: error)
    let name = path.split(separator: "/").last.map(String.init) ?? ""
    let listener = try UnixSocket.listen(in: Files.parent(of: path), name: name).release()
    async let serving: Void = BlockingWork.run { agent.serve(listener) }
    do { try await body(agent) } catch {
      agent.end()
      throw error
    }
    agent.end()
    await serving
  }

  private func end() { seen.withLock { $0.isOver = true } }

  private func serve(_ listener: Int32) {
    var filters: [Int32] = []
    while !seen.withLock({ $0.isOver }) {
      var watched = ([listener] + filters).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      guard poll(&watched, nfds_t(watched.count), 50) > 0 else { continue }
      for entry in watched.dropFirst() where entry.revents != 0 {
        if entry.revents & Int16(POLLIN) != 0 { answer(entry.fd) } else { close(entry.fd) }
      }
      filters.removeAll { fd in watched.contains { $0.fd == fd && $0.revents & Int16(POLLIN | POLLHUP) == Int16(POLLHUP) } }
      if watched[0].revents != 0, let filter = take(listener) { filters.append(filter) }
    }
    for descriptor in filters + [listener] { close(descriptor) }
  }

  private func answer(_ filter: Int32) {
    var request = [UInt64](repeating: 0, count: Self.receive.words)
    guard request.withUnsafeMutableBytes({ ioctl(filter, Self.receive.request, $0.baseAddress!) }) == 0 else { return }
    var response = [request[0], 0, UInt64(UInt32(bitPattern: -error))]
    if response.withUnsafeMutableBytes({ ioctl(filter, Self.send.request, $0.baseAddress!) }) == 0 { seen.withLock { $0.answers += 1 } }
  }

  /// A filter's listener and the words that come with it, in one message.
  private func take(_ listener: Int32) -> Int32? {
    let peer = FileHandle(owning: shim_accept(listener))
    var ready = pollfd(fd: peer.raw, events: Int16(POLLIN), revents: 0)
    poll(&ready, 1, 5000)
    var text = [UInt8](repeating: 0, count: 1 << 16)
    // cmsghdr: length, level and type, then the descriptor.
    var control = [UInt64](repeating: 0, count: 3)
    let count = text.withUnsafeMutableBytes { text in
      control.withUnsafeMutableBytes { control in
        var vector = iovec(iov_base: text.baseAddress, iov_len: text.count)
        return withUnsafeMutablePointer(to: &vector) { vector in
          var message = msghdr()
          (message.msg_iov, message.msg_iovlen) = (vector, 1)
          (message.msg_control, message.msg_controllen) = (control.baseAddress, control.count)
          return recvmsg(peer.raw, &message, Int32(MSG_CMSG_CLOEXEC))
        }
      }
    }
    guard count > 0, control[0] == 20 else { return nil }
    let state = String(decoding: text[..<count], as: UTF8.self)
    seen.withLock { $0.states.append(state) }
    return Int32(truncatingIfNeeded: control[2])
  }
}
