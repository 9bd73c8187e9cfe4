import CRIAPI
import Core
import Linux
import OCI

extension SpecInputs {
  /// What monitoring, hooks and other runtimes (kata, gVisor) know of a container by annotations of its spec: containerd's and CRI-O's.
  ///
  /// Where the sandbox has no spec of its own, what those put into one is with its containers.
  var annotations: [String: String] {
    containerdAnnotations.merging(crioAnnotations) { own, _ in own }.merging(kubeletLabels) { own, _ in own }
  }

  private var containerdAnnotations: [String: String] {
    let pod = [
      "sandbox-id": pod.sandboxID, "sandbox-name": sandbox.metadata.name, "sandbox-namespace": sandbox.metadata.namespace,
      "sandbox-uid": sandbox.metadata.uid, "sandbox-log-directory": sandbox.logDirectory,
    ]
    let own =
      isInfraContainer
      ? ["container-type": "sandbox", "sandbox-image-name": imageName]
      : ["container-type": "container", "container-name": container.metadata.name, "image-name": imageName]
    return named("io.kubernetes.cri.", pod.merging(own) { $1 }.merging(sandboxSize) { own, _ in own })
  }

  /// Of all containers together, as the kubelet reckons.
  private var sandboxSize: [String: String] {
    guard sandbox.linux.hasResources else { return [:] }
    let size = sandbox.linux.resources
    return [
      "sandbox-cpu-period": "\(size.cpuPeriod)", "sandbox-cpu-quota": "\(size.cpuQuota)", "sandbox-cpu-shares": "\(size.cpuShares)",
      "sandbox-memory": "\(size.memoryLimitInBytes)",
    ]
  }

  private static let stopSignal = "org.opencontainers.image.stopSignal"

  /// Of pod and container, by which tools find them where a runtime passes labels on; and what the image says about its end.
  private var kubeletLabels: [String: String] {
    let labels = container.labels.filter { Self.labelNames.contains($0.key) }
    return image.config.stopSignal.isEmpty ? labels : labels.merging([Self.stopSignal: image.config.stopSignal]) { own, _ in own }
  }

  private static let labelNames: Set = [
    "io.kubernetes.container.name", "io.kubernetes.pod.name", "io.kubernetes.pod.namespace", "io.kubernetes.pod.uid",
  ]

  func named(_ prefix: String, _ values: [String: String]) -> [String: String] {
    Dictionary(uniqueKeysWithValues: values.map { (prefix + $0.key, $0.value) })
  }
}
