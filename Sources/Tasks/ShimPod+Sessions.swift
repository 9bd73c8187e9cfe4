package import Core
import Linux
import ShimAPI
import SwiftProtobuf

/// Exec and attach: bytes go between the caller and the process (or, for an attach, the shim's log thread) through pipes that no call waits for.
extension ShimPod: SessionTask {
  package func exec(_ plan: ExecSessionPlan) async throws -> any StreamSession {
    let process = ExecProcess(
      client: client, container: plan.container, id: String(Identifier.random().prefix(16)), watch: plan.watch)
    return plan.terminal ? try await execOnTerminal(plan, process) : try await execOnPipes(plan, process)
  }

  private func execOnPipes(_ plan: ExecSessionPlan, _ process: ExecProcess) async throws -> ExecSession {
    let pipes = try SessionPipes(
      in: client.files.directory, name: "exec-\(process.id)", stdin: plan.stdin, stdout: plan.stdout, stderr: plan.stderr, label: fileLabel)
    try await process.create(plan.process, terminal: false, input: pipes.stdin, output: pipes.stdout, error: pipes.stderr)
    try await start(process) { [cgroups] in plan.tune($0, in: cgroups) }
    return ExecSession(process, pipes.handOver())
  }

  /// The runtime hands the terminal's master side to this daemon itself: the shim never sees it, and the line is cut when the daemon dies.
  private func execOnTerminal(_ plan: ExecSessionPlan, _ process: ExecProcess) async throws -> ExecSession {
    let name = "exec-\(process.id).tty"
    let path = "\(client.files.directory)/\(name)"
    let socket = try TerminalSocket(in: client.files.directory, name: name)
    defer { try? Files.remove(path) }
    try await process.create(plan.process, terminal: true, input: "", output: "console://" + path, error: "")
    try await start(process) { [cgroups] in plan.tune($0, in: cgroups) }
    do {
      let terminal = try socket.take()
      let streams = SessionStreams(stdin: plan.stdin ? try terminal.duplicate() : nil, stdout: try terminal.duplicate(), stderr: nil)
      return ExecSession(process, streams, terminal: terminal)
    } catch {
      Task { await process.discard() }
      throw Fault(.internal, "container \(plan.container): exec: the OCI runtime handed over no terminal", cause: error)
    }
  }

  /// A process that was not started is forgotten by the shim.
  private func start(_ process: ExecProcess, _ began: (Int32) -> Void) async throws(Fault) {
    do {
      began(try await process.start())
    } catch {
      Task { try? await process.delete() }
      throw error
    }
  }

  package func attach(_ plan: AttachPlan) async throws -> any StreamSession {
    let name = "attach-" + Identifier.random().prefix(16)
    let direct = plan.stdin ? try standardInput(of: plan.container) : nil
    let isDirect = direct != nil
    let pipes = try SessionPipes(
      in: client.files.directory, name: name, stdin: plan.stdin && !isDirect, stdout: plan.stdout, stderr: plan.stderr)
    let request = Berth_Shim_V1_AttachRequest.with {
      $0.id = plan.container
      $0.stdout = pipes.stdout
      $0.stderr = pipes.stderr
      $0.stdin = pipes.stdin
      $0.takesStdin = isDirect
      $0.tail = UInt32(clamping: plan.tail)
    }
    let _: Berth_Shim_V1_AttachResponse = try await client.pod("Attach", request, "container \(plan.container): attach")
    var streams = pipes.handOver()
    if isDirect { streams.stdin = direct }
    return AttachSession(self, plan.container, streams)
  }

  /// A container without a terminal reads a FIFO; nil where there is none.
  private func standardInput(of container: String) throws -> FileHandle? {
    do throws(SystemError) { return try Fifo.writer(client.files.input(container)) } catch {
      if error.is(error.noEntry) { return nil }
      // The container has closed it.
      if error.is(error.noPeer) { return try FileHandle.unread() }
      throw error
    }
  }

  func resizeTerminal(_ container: String, columns: UInt16, rows: UInt16) async throws(Fault) {
    let request = Containerd_Task_V3_ResizePtyRequest.with {
      $0.id = container
      $0.width = UInt32(columns)
      $0.height = UInt32(rows)
    }
    let _: Google_Protobuf_Empty = try await client.task(
      "ResizePty", request, "container \(container): resize", timeout: client.limits.quick)
  }
}
