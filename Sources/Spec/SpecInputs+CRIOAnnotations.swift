package import CRIAPI
import Core
import Linux
import OCI

/// What a spec tells of its container besides what it is made of.
package struct SpecOrigin: Sendable, Hashable {
  package var imageID = ""
  package var logPath = ""
  /// Where its root filesystem is mounted.
  package var rootfs = ""
  package var runtimeHandler = ""
  package var addresses: [String] = []
  /// Nanoseconds since the epoch.
  package var createdAt: Int64 = 0

  package init() {}
}

extension SpecInputs {
  /// CRI-O's, by its names and in its forms.
  var crioAnnotations: [String: String] {
    let own = identity.merging(streams) { $1 }.merging(podFacts) { $1 }.merging(documents) { $1 }
    return named("io.kubernetes.cri-o.", own).merging(podSize) { $1 }
  }

  private var containerName: String { sandbox.metadata.runtimeName(of: container.metadata.name, container.metadata.attempt) }

  private var identity: [String: String] {
    [
      "ContainerType": isInfraContainer ? "sandbox" : "container", "ContainerID": id, "ContainerName": containerName,
      "Name": containerName, "Image": container.image.image, "ImageName": imageName,
      "ImageRef": origin.imageID, "MountPoint": origin.rootfs, "Created": Timestamp.text(origin.createdAt),
      "SeccompProfilePath": seccompName,
    ]
  }

  private var streams: [String: String] {
    [
      "LogPath": origin.logPath, "TTY": "\(container.tty)", "Stdin": "\(container.stdin)", "StdinOnce": "\(container.stdinOnce)",
    ]
  }

  private var podFacts: [String: String] {
    var facts = [
      "SandboxID": pod.sandboxID, "SandboxName": sandbox.metadata.runtimeName(sandbox.metadata.attempt), "KubeName": sandbox.metadata.name,
      "Namespace": sandbox.metadata.namespace, "HostName": sandbox.hostname, "HostNetwork": "\(pod.networkNamespace == nil)",
      "CgroupParent": sandbox.linux.cgroupParent, "PrivilegedRuntime": "\(sandbox.linux.securityContext.privileged)",
      "RuntimeHandler": origin.runtimeHandler,
    ]
    (facts["ResolvPath"], facts["HostnamePath"], facts["ShmPath"]) = (pod.resolvConfFile, pod.hostnameFile, pod.shm)
    for (index, address) in origin.addresses.enumerated() { facts["IP.\(index)"] = address }
    return facts
  }

  private var documents: [String: String] {
    let metadata: JSON = ["name": .string(container.metadata.name), "attempt": .number("\(container.metadata.attempt)")]
    let volumes = container.mounts.map { mount -> JSON in
      [
        "container_path": .string(mount.containerPath), "host_path": .string(mount.hostPath), "readonly": .bool(mount.readonly),
        "recursive_read_only": .bool(mount.recursiveReadOnly), "propagation": .number("\(mount.propagation.rawValue)"),
        "selinux_relabel": .bool(mount.selinuxRelabel),
      ]
    }
    let all = [
      "Metadata": metadata, "Labels": Self.json(container.labels), "Annotations": Self.json(container.annotations),
      "Volumes": .array(volumes),
    ]
    return all.mapValues { String(decoding: $0.bytes, as: UTF8.self) }
  }

  private static func json(_ texts: [String: String]) -> JSON {
    .object(texts.sorted { $0.key < $1.key }.map { JSON.Member(key: $0.key, value: .string($0.value)) })
  }

  private var seccompName: String {
    switch try? SeccompRequest(security) {
    case .runtimeDefault: "runtime/default"
    case .localhost(let path): "localhost/" + path
    case .unconfined: "unconfined"
    case .unset, nil: ""
    }
  }
}

extension Runtime_V1_PodSandboxMetadata {
  /// What container runtimes have long called a container, `k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT`; without the first of the sandbox.
  package func runtimeName(of container: String? = nil, _ attempt: UInt32) -> String {
    ["k8s", container, name, namespace, uid, "\(attempt)"].compactMap { $0 }.joined(separator: "_")
  }
}
