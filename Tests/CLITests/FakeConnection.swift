import BerthAPI
import CRIAPI
import Core
import SwiftProtobuf
import Synchronization

@testable import berth

/// A berthd that a test writes: a handler for each method, and a record of what was called.
final class FakeConnection: Connection {
  typealias Handler = @Sendable ([UInt8]) async throws -> [[UInt8]]

  private struct State {
    var handlers: [Method: Handler] = [:]
    var calls: [String] = []
  }

  private let state = Mutex(State())

  /// Names of the methods called so far, in order.
  var calls: [String] { state.withLock(\.calls) }

  func on<Request: Message, Answer: Message>(_ method: Method, _ body: @escaping @Sendable (Request) async throws -> [Answer]) {
    let handler: Handler = { bytes in try await body(Request(serializedBytes: bytes)).map { try $0.serializedBytes() } }
    state.withLock { $0.handlers[method] = handler }
  }

  func call<Answer: Message>(_ method: Method, _ request: some Message, timeout: Duration?) async throws -> Answer {
    guard let answer = try await answers(method, request).first else { throw Fault(.internal, "no answer") }
    return try Answer(serializedBytes: answer)
  }

  func stream<Answer: Message>(_ method: Method, _ request: some Message, _ body: (Answer) async throws -> Void) async throws {
    for answer in try await answers(method, request) { try await body(try Answer(serializedBytes: answer)) }
  }

  private func answers(_ method: Method, _ request: some Message) async throws -> [[UInt8]] {
    let handler = state.withLock { state in
      state.calls.append(method.name)
      return state.handlers[method]
    }
    guard let handler else { throw Fault(.unimplemented, "unknown method \(method.path)") }
    return try await handler(try request.serializedBytes())
  }
}

/// A berthd with one image and room for one pod, whose container writes what the test says.
struct FakeDaemon: Sendable {
  struct State: Sendable {
    var images: Set<String> = ["busybox"]
    var pods: [Runtime_V1_PodSandbox] = []
    var container: Runtime_V1_ContainerStatus?
    var created: Runtime_V1_CreateContainerRequest?
  }

  let connection = FakeConnection()
  private let shared = Shared()

  final class Shared: Sendable {
    let state = Mutex(State())
  }

  var state: State { shared.state.withLock { $0 } }
  func change(_ body: (inout State) -> Void) { shared.state.withLock { body(&$0) } }
  var runtime: Runtime { Runtime(connection: connection) }

  init() {
    serveImages()
    servePods()
    serveContainers()
  }

  private func serveImages() {
    connection.on(.image("ImageStatus")) { [shared] (request: Runtime_V1_ImageStatusRequest) in
      let name = request.image.image
      let known = shared.state.withLock { $0.images.contains(name) }
      return [Runtime_V1_ImageStatusResponse.with { if known { $0.image.id = "sha256:" + name } }]
    }
    connection.on(.berth("Pull")) { [shared] (request: Berth_V1_PullRequest) in
      shared.state.withLock { $0.images.formUnion([request.reference, "sha256:" + request.reference]) }
      return [
        Berth_V1_PullProgress.with { $0.resolved.reference = "docker.io/library/" + request.reference },
        .with { ($0.layer.digest, $0.layer.phase) = ("sha256:0123456789abcdef", .done) },
        .with { $0.image.id = "sha256:" + request.reference },
      ]
    }
  }

  private func servePods() {
    connection.on(.runtime("RunPodSandbox")) { [shared] (request: Runtime_V1_RunPodSandboxRequest) in
      let pod = Runtime_V1_PodSandbox.with {
        ($0.id, $0.metadata, $0.labels) = ("pod1", request.config.metadata, request.config.labels)
      }
      shared.state.withLock { $0.pods.append(pod) }
      return [Runtime_V1_RunPodSandboxResponse.with { $0.podSandboxID = pod.id }]
    }
    connection.on(.runtime("ListPodSandbox")) { [shared] (request: Runtime_V1_ListPodSandboxRequest) in
      let pods = shared.state.withLock(\.pods).filter { pod in
        request.filter.labelSelector.allSatisfy { pod.labels[$0.key] == $0.value }
      }
      return [Runtime_V1_ListPodSandboxResponse.with { $0.items = pods }]
    }
    connection.on(.runtime("StopPodSandbox")) { (_: Runtime_V1_StopPodSandboxRequest) in [Runtime_V1_StopPodSandboxResponse()] }
    connection.on(.runtime("RemovePodSandbox")) { [shared] (request: Runtime_V1_RemovePodSandboxRequest) in
      shared.state.withLock { $0.pods.removeAll { $0.id == request.podSandboxID } }
      return [Runtime_V1_RemovePodSandboxResponse()]
    }
  }

  private func serveContainers() {
    connection.on(.runtime("CreateContainer")) { [shared] (request: Runtime_V1_CreateContainerRequest) in
      shared.state.withLock { $0.created = request }
      return [Runtime_V1_CreateContainerResponse.with { $0.containerID = "container1" }]
    }
    connection.on(.runtime("StartContainer")) { (_: Runtime_V1_StartContainerRequest) in [Runtime_V1_StartContainerResponse()] }
    connection.on(.runtime("ListContainers")) { (_: Runtime_V1_ListContainersRequest) in [Runtime_V1_ListContainersResponse()] }
    connection.on(.runtime("ContainerStatus")) { [shared] (_: Runtime_V1_ContainerStatusRequest) in
      guard let status = shared.state.withLock({ $0.container }) else { throw Fault(.notFound, "no such container") }
      return [Runtime_V1_ContainerStatusResponse.with { $0.status = status }]
    }
  }
}
