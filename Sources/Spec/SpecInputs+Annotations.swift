import CRIAPI

extension SpecInputs {
  /// The annotations that monitoring and other runtimes (kata, gVisor, hooks) know from containerd.
  var annotations: [String: String] {
    [
      "io.kubernetes.cri.container-type": "container",
      "io.kubernetes.cri.container-name": container.metadata.name,
      "io.kubernetes.cri.image-name": imageName,
      "io.kubernetes.cri.sandbox-id": pod.sandboxID,
      "io.kubernetes.cri.sandbox-name": sandbox.metadata.name,
      "io.kubernetes.cri.sandbox-namespace": sandbox.metadata.namespace,
      "io.kubernetes.cri.sandbox-uid": sandbox.metadata.uid,
    ]
  }
}
