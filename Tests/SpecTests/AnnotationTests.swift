import CRIAPI
import Core
import Linux
import OCI
import SwiftProtobuf
import Testing

@testable import Spec

/// What tools read of a container's spec.
@Suite struct AnnotationTests {
  private func annotations(_ change: (inout SpecInputs) -> Void = { _ in }) throws -> [String: String] {
    try SpecFixture.build {
      $0.imageName = "docker.io/library/busybox:latest"
      $0.container.image.image = "busybox"
      $0.container.labels = ["io.kubernetes.pod.uid": "uid-1", "app": "a\"b"]
      $0.container.annotations = ["note": "n"]
      ($0.container.tty, $0.container.stdin) = (true, true)
      $0.container.metadata.attempt = 3
      $0.sandbox.logDirectory = "/var/log/pods/web"
      $0.sandbox.linux.resources = .with { ($0.cpuPeriod, $0.cpuQuota, $0.cpuShares, $0.memoryLimitInBytes) = (1000, 2000, 3, 4) }
      ($0.origin.imageID, $0.origin.logPath, $0.origin.rootfs) = ("sha256:1", "/var/log/pods/web/main.log", "/run/rootfs")
      ($0.origin.runtimeHandler, $0.origin.addresses, $0.origin.createdAt) = ("crun", ["10.0.0.1", "fd00::1"], 1_000_000_000)
      ($0.pod.resolvConfFile, $0.pod.shm) = ("/run/resolv.conf", "/run/shm")
      change(&$0)
    }.annotations ?? [:]
  }

  @Test func `those of containerd are there, and those it has of sandboxes`() throws {
    let found = try annotations().filter { $0.key.hasPrefix("io.kubernetes.cri.") }
    let expected = [
      "container-type": "container", "container-name": "main", "image-name": "docker.io/library/busybox:latest",
      "sandbox-id": String(repeating: "5", count: 64), "sandbox-name": "web", "sandbox-namespace": "default", "sandbox-uid": "uid-1",
      "sandbox-log-directory": "/var/log/pods/web", "sandbox-cpu-period": "1000", "sandbox-cpu-quota": "2000", "sandbox-cpu-shares": "3",
      "sandbox-memory": "4",
    ]
    #expect(found == Dictionary(uniqueKeysWithValues: expected.map { ("io.kubernetes.cri." + $0.key, $0.value) }))
  }

  @Test func `those of CRI-O are there, by its names and in its forms`() throws {
    let found = try annotations()
    let expected = [
      "ContainerType": "container", "ContainerID": SpecFixture.id, "ContainerName": "k8s_main_web_default_uid-1_3",
      "Name": "k8s_main_web_default_uid-1_3", "Image": "busybox", "ImageName": "docker.io/library/busybox:latest", "ImageRef": "sha256:1",
      "MountPoint": "/run/rootfs", "Created": "1970-01-01T00:00:01.000Z", "SeccompProfilePath": "", "LogPath": "/var/log/pods/web/main.log",
      "TTY": "true", "Stdin": "true", "StdinOnce": "false", "SandboxID": String(repeating: "5", count: 64),
      "SandboxName": "k8s_web_default_uid-1_0", "KubeName": "web", "Namespace": "default", "HostName": "web", "HostNetwork": "false",
      "CgroupParent": "/kubepods/pod1", "PrivilegedRuntime": "false", "RuntimeHandler": "crun", "ResolvPath": "/run/resolv.conf",
      "ShmPath": "/run/shm", "IP.0": "10.0.0.1", "IP.1": "fd00::1", "Metadata": #"{"name":"main","attempt":3}"#,
      "Labels": #"{"app":"a\"b","io.kubernetes.pod.uid":"uid-1"}"#, "Annotations": #"{"note":"n"}"#, "Volumes": "[]",
    ]
    let ofCRIO = found.filter { $0.key.hasPrefix("io.kubernetes.cri-o.") }
    #expect(ofCRIO == Dictionary(uniqueKeysWithValues: expected.map { ("io.kubernetes.cri-o." + $0.key, $0.value) }))
    #expect(found["io.kubernetes.pod.uid"] == "uid-1" && found["app"] == nil && found["note"] == nil)
  }

  @Test func `volumes, the filter's name and the image's signal are told`() throws {
    let found = try annotations {
      $0.container.mounts = [.with { ($0.containerPath, $0.hostPath, $0.readonly) = ("/data", "/srv/data", true) }]
      $0.securityContext.seccomp.profileType = .runtimeDefault
      $0.image.config.stopSignal = "SIGQUIT"
    }
    #expect(
      found["io.kubernetes.cri-o.Volumes"]
        == #"[{"container_path":"/data","host_path":"/srv/data","readonly":true,"recursive_read_only":false,"propagation":0,"selinux_relabel":false}]"#
    )
    #expect(found["io.kubernetes.cri-o.SeccompProfilePath"] == "runtime/default")
    #expect(found["org.opencontainers.image.stopSignal"] == "SIGQUIT")
  }

  @Test func `nobody's annotations come over them`() throws {
    let found = try annotations {
      $0.passedAnnotations = ["io.kubernetes.cri-o.SandboxID": "other", "io.kubernetes.cri.sandbox-id": "other", "mine": "1"]
      $0.handler.defaultAnnotations = ["io.kubernetes.cri-o.Namespace": "other"]
    }
    #expect(found["io.kubernetes.cri-o.SandboxID"] == String(repeating: "5", count: 64) && found["mine"] == "1")
    #expect(
      found["io.kubernetes.cri.sandbox-id"] == String(repeating: "5", count: 64) && found["io.kubernetes.cri-o.Namespace"] == "default")
  }
}

/// What tools read of a pod's own container.
@Suite struct InfraAnnotationTests {
  private func annotations(_ change: (inout SpecInputs) -> Void = { _ in }) throws -> [String: String] {
    try SpecFixture.build {
      ($0.isInfraContainer, $0.imageName, $0.container.metadata.name) = (true, "berth-pause", "POD")
      change(&$0)
    }.annotations ?? [:]
  }

  @Test func `it is the sandbox, by both peers' names`() throws {
    let found = try annotations()
    #expect(found["io.kubernetes.cri.container-type"] == "sandbox" && found["io.kubernetes.cri-o.ContainerType"] == "sandbox")
    #expect(found["io.kubernetes.cri.sandbox-image-name"] == "berth-pause" && found["io.kubernetes.cri.image-name"] == nil)
    #expect(found["io.kubernetes.cri.container-name"] == nil && found["io.kubernetes.cri-o.ContainerName"] == "k8s_POD_web_default_uid-1_0")
    #expect(found["pod-linux-overhead.crio.io"] == nil && found["io.kubernetes.cri.sandbox-memory"] == nil)
  }

  @Test func `the pod's size is told, of its containers and of what it costs besides`() throws {
    let found = try annotations {
      $0.sandbox.linux.resources = .with { ($0.cpuPeriod, $0.cpuQuota, $0.cpuShares, $0.memoryLimitInBytes) = (1000, 2000, 3, 4) }
      $0.sandbox.linux.overhead = .with {
        ($0.memoryLimitInBytes, $0.cpusetCpus, $0.unified) = (1 << 20, "0-1", ["memory.low": "2", "memory.high": "1"])
        $0.hugepageLimits = [.with { ($0.pageSize, $0.limit) = ("2MB", 7) }]
      }
    }
    let resources = #"{"cpu_period":1000,"cpu_quota":2000,"cpu_shares":3,"memory_limit_in_bytes":4}"#
    let overhead =
      #"{"memory_limit_in_bytes":1048576,"cpuset_cpus":"0-1","hugepage_limits":[{"page_size":"2MB","limit":7}],"unified":{"memory.high":"1","memory.low":"2"}}"#
    #expect(found["pod-linux-resources.crio.io"] == resources && found["io.kubernetes.cri-o.PodLinuxResources"] == resources)
    #expect(found["pod-linux-overhead.crio.io"] == overhead && found["io.kubernetes.cri-o.PodLinuxOverhead"] == overhead)
    #expect(found["io.kubernetes.cri.sandbox-cpu-quota"] == "2000" && found["io.kubernetes.cri.sandbox-memory"] == "4")
  }
}
