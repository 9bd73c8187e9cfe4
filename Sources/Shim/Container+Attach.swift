import CLinux

extension Container {
  /// Begins to show the container's output, and forwards what is typed.
  func attach(_ request: AttachRequest, _ call: Call) {
    guard isRunning, let log else { return call.fail(isNotRunning) }
    if let complaint = complaint(request) { return call.fail(complaint) }
    do throws(SystemFailure) {
      let attachment = Attachment(tail: request.tail)
      attachment.output = Sink(try Stdio.openEnd(request.output, O_WRONLY))
      attachment.error = Sink(try Stdio.openEnd(request.error, O_WRONLY))
      attachment.input = try Stdio.openEnd(request.input, O_RDONLY)
      guard log.attach(attachment) else { return call.fail(isNotRunning) }
    } catch {
      return call.fail(Failure(.internal, "attach: " + error.message))
    }
    // From now on the client's end keeps stdin open, and closes it.
    if request.takesInput && options.stdinOnce { closeInput() }
    call.succeed()
  }

  private func complaint(_ request: AttachRequest) -> Failure? {
    guard request.takesInput || !request.input.isEmpty else { return nil }
    if !options.stdin { return Failure(.failedPrecondition, "container " + id + " has no stdin") }
    if request.takesInput == terminal {
      return Failure(.invalidArgument, "a container's stdin is taken without a terminal, and typed into with one")
    }
    return nil
  }
}
