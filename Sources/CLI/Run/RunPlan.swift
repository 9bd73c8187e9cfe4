import CRIAPI
import FoundationEssentials
import SwiftProtobuf

/// What `berth run` was asked for, and the CRI requests it amounts to: a pod with one container.
struct RunPlan {
  var image: String
  var command: [String] = []
  var name: String
  /// Tells this run's pod from all others, also while berthd has not answered yet.
  var uid: String
  var environment: [(name: String, value: String)] = []
  var mounts: [MountArgument] = []
  var ports: [PortArgument] = []
  var hostNetwork = false
  var runtimeHandler = ""
  /// Our input is the container's, and its end the container's input's end.
  var stdin = false
  var terminal = false
  var logBase = "/var/log/berth"

  /// The label that carries the run's uid.
  static let label = "io.berth.run"

  var logDirectory: String { "\(logBase)/\(name)_\(uid)" }
  var logPath: String { logDirectory + "/" + logName }
  private var logName: String { "0.log" }

  var sandbox: Runtime_V1_PodSandboxConfig {
    .with {
      ($0.metadata.name, $0.metadata.uid, $0.metadata.namespace) = (name, uid, "default")
      $0.hostname = hostNetwork ? "" : name
      $0.logDirectory = logDirectory
      $0.portMappings = ports.map(\.mapping)
      $0.labels = [Self.label: uid]
      $0.linux.securityContext.namespaceOptions = namespaces
    }
  }

  func container(in pod: String, image: Runtime_V1_Image) -> Runtime_V1_CreateContainerRequest {
    .with {
      $0.podSandboxID = pod
      $0.config = config(image)
      $0.sandboxConfig = sandbox
    }
  }

  private func config(_ found: Runtime_V1_Image) -> Runtime_V1_ContainerConfig {
    .with {
      $0.metadata.name = name
      ($0.image.image, $0.image.userSpecifiedImage) = (found.id, image)
      // As with every other tool, words on the command line replace the image's command and keep its entry point.
      $0.args = command
      $0.envs = environment.map { pair in .with { ($0.key, $0.value) = (pair.name, Data(pair.value.utf8)) } }
      $0.mounts = mounts.map(\.mount)
      $0.labels = [Self.label: uid]
      $0.logPath = logName
      ($0.stdin, $0.stdinOnce, $0.tty) = (stdin, stdin, terminal)
      $0.linux.securityContext.namespaceOptions = namespaces
    }
  }

  private var namespaces: Runtime_V1_NamespaceOption {
    .with { ($0.network, $0.pid, $0.ipc) = (hostNetwork ? .node : .pod, .container, .pod) }
  }
}
