import CLinux

/// Puts the parts together.
final class Shim {
  private let directory: Bytes
  private let pod: Pod
  private let podService: PodService
  private let server: Server

  init(directory: Bytes) {
    self.directory = directory
    let loop = EventLoop()
    let pod = Pod(directory: directory, loop: loop, reaper: Reaper(loop: loop))
    let containers = ContainerTable()
    let execs = ExecTable()
    let departure = Departure(loop: loop, socket: directory + "/shim.sock")
    let podService = PodService(pod: pod, containers: containers) { departure.leave() }
    let taskService = TaskService(pod: pod, containers: containers, execs: execs) { podService.tearDown($0) }
    server = Server(loop: loop, listener: 3) { request, call in
      do throws(Malformed) {
        if request.service.matches("berth.shim.v1.Pod") { return try podService.serve(request.method, request.payload, call) }
        if request.service.matches("containerd.task.v2.Task") || request.service.matches("containerd.task.v3.Task") {
          return try taskService.serve(request.method, request.payload, call)
        }
        call.fail(Failure(.unimplemented, "there is no service " + request.service))
      } catch {
        call.fail(.malformed)
      }
    }
    server.connectionEnded = { execs.connectionEnded($0) }
    departure.server = server
    self.pod = pod
    self.podService = podService
  }

  func run() -> Never { pod.loop.run() }
}

/// The shim's end: no new client, the last answer sent, the socket gone.
final class Departure {
  private static let rounds = 100

  private let loop: EventLoop
  private let socket: Bytes
  var server: Server?

  init(loop: EventLoop, socket: Bytes) {
    self.loop = loop
    self.socket = socket
  }

  func leave() {
    Files.remove(socket)
    wait(Self.rounds)
  }

  private func wait(_ rounds: Int) {
    if rounds == 0 || server?.isFlushed ?? true { exit(0) }
    loop.after(milliseconds: 10) { self.wait(rounds - 1) }
  }
}
