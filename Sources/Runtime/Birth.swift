import CLinux

/// What create and exec have in common: a process is made by the shim, and a proxy left behind that stands for it.
struct Birth {
  let process: TaskProcess
  let shim: ForeignShim
  let streams: Streams
  var log: Int32 = -1
  private let record: ContainerRecord
  private let container: Container
  private let pidFile: Bytes
  private var terminal: Int32 = -1

  init(_ process: TaskProcess, of record: ContainerRecord, in container: Container, _ arguments: Arguments) throws(Failure) {
    (self.process, shim, self.record, self.container) = (process, record.shim, record, container)
    pidFile = try arguments.required("--pid-file")
    let socket = arguments.value("--console-socket")
    let name = process.exec.isEmpty ? process.id : process.exec
    do throws(Failure) {
      streams = try Streams(StreamRoute(in: container, at: record.address), name: name, hasTerminal: socket != nil)
    } catch {
      throw error.at(shim.name + ", " + process.description)
    }
    guard let socket else { return }
    do throws(Failure) { terminal = try Self.handOver(to: socket) } catch {
      streams.remove()
      throw error
    }
  }

  /// A terminal's slave, after its master has been sent.
  private static func handOver(to socket: Bytes) throws(Failure) -> Int32 {
    var (master, slave): (Int32, Int32) = (-1, -1)
    guard foreign_terminal(&master, &slave) == 0 else { throw SystemFailure.failure("terminal for", socket) }
    defer { close(master) }
    guard socket.withCString({ foreign_hand_over($0, master) }) == 0 else { throw SystemFailure.failure("console socket", socket) }
    return slave
  }

  /// `make` has the shim make the process, whose number there it returns. The proxy's identity and that number; in the proxy this does not return.
  /// On failure nothing is left but what the shim has.
  func run(_ client: TaskClient, _ make: () throws(Failure) -> Int32) throws(Failure) -> (ProcessIdentity, Int32) {
    do throws(Failure) {
      let guardian = try Guardian.start(of: process, in: container, record, client, streams)
      do throws(Failure) {
        let pid = try make()
        Guardian.tellMade(guardian)
        return (try leave(client, guardian), pid)
      } catch {
        Guardian.release(guardian)
        throw error
      }
    } catch {
      streams.remove()
      throw error.at(shim.name + ", " + process.description)
    }
  }

  private func leave(_ client: TaskClient, _ guardian: Int32) throws(Failure) -> ProcessIdentity {
    let pid = foreign_fork()
    if pid == 0 { Proxy(process, client, shim, streams, terminal: terminal, guardian: guardian, log: log).run() }
    guard pid > 0 else { throw SystemFailure.failure("proxy of", process.id) }
    let identity = ProcessIdentity(of: pid)
    guard Files.replace(pidFile, Bytes(decimal: pid)) else {
      let failure = SystemFailure.failure("writing", pidFile)
      identity.kill()
      throw failure
    }
    return identity
  }
}
