import CRIAPI
import Core
import Linux
import Logging

extension Pod {
  /// Makes a container and lets the shim create it in the background. A retry joins the running request or gets the finished
  /// container; the same name with another config is ALREADY_EXISTS and says what differs.
  package nonisolated func createContainer(_ request: ContainerRequest) async throws -> String {
    let metadata = request.config.metadata
    Span.current?.set([
      "k8s.container.name": .string(metadata.name), "container.image.name": .string(request.config.image.image),
      "berth.sandbox.id": .string(id),
    ])
    return try await stage("pod \(name): container \(metadata.name)") {
      try await creates.join(
        ContainerKey(metadata), request,
        conflict: { Fault(.alreadyExists, "being created with another config: \($0.difference(to: request)) differs") }
      ) { [self] in
        if let existing = try finished(request) { return existing }
        return try await stages.container(.create, runtime) { try await create(request) }
      }
    }
  }

  /// The container an earlier try made, while it can still be started.
  private nonisolated func finished(_ request: ContainerRequest) throws -> String? {
    let key = ContainerKey(request.config.metadata)
    guard let record = ledger.containers(of: id).first(where: { ContainerKey($0.config.content.metadata) == key }) else { return nil }
    let before = ContainerRequest(config: record.config.content)
    guard before == request else {
      throw Fault(.alreadyExists, "container \(record.id) has this name and another config: \(before.difference(to: request)) differs")
    }
    guard record.exit == nil else {
      throw Fault(.alreadyExists, "container \(record.id) of this attempt has ended; remove it or raise the attempt")
    }
    return record.id
  }

  private func create(_ request: ContainerRequest) async throws -> String {
    try checkOpen()
    let task = try await task()
    let rollback = Rollback()
    let container = Identifier.random()
    Span.current?.set(["container.id": .string(container)])
    let setup = ContainerSetup(services: services, sandbox: try ledger.sandbox(id), holderPID: task.holderPID, id: container)
    var undo = rollback
    do {
      let record = try await setup.run(request.config, target: targetPID(request), &undo)
      // A stop that began meanwhile ends what is on record; this is not.
      try checkOpen()
      try ledger.put(record)
      let ledger = ledger
      undo.add("record") { try ledger.removeContainer(container) }
      try await stages.container(.task, runtime) { try await task.create(record.plan) }
      logger.info("container created", metadata: ["container": "\(container)", "name": "\(record.name)"])
      return container
    } catch {
      await traced("container.rollback") { _ = await undo.run(logger) }
      throw error
    }
  }

  func checkOpen() throws(Fault) {
    if closing { throw Fault(.failedPrecondition, "the sandbox is being stopped") }
  }

  /// Init of the container whose PID namespace is to be joined.
  private nonisolated func targetPID(_ request: ContainerRequest) throws -> Int32? {
    let options = request.config.linux.securityContext.namespaceOptions
    guard options.pid == .target else { return nil }
    let target = try ledger.findContainer(options.targetID)
    guard target.sandboxID == id, case .running = target.state, target.pid > 0 else {
      throw Fault(.failedPrecondition, "namespace_options.target_id: container \(options.targetID) does not run in this pod")
    }
    return target.pid
  }
}
