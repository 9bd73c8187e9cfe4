import Core
import Testing

@testable import CNI

struct CapabilitiesTests {
  @Test func theArgumentsNameThePod() throws {
    let arguments = try Capabilities.arguments(attachment("abc"))
    #expect(arguments == "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web;K8S_POD_INFRA_CONTAINER_ID=abc;K8S_POD_UID=u-1")
  }

  @Test(arguments: ["a;IP=10.0.0.1", "a=b", "a\0b"])
  func aNameThatWouldReadAsAnotherArgumentIsRefused(_ name: String) {
    var pod = attachment()
    pod.podName = name
    #expect(throws: Fault.self) { try Capabilities.arguments(pod) }
  }

  @Test func aPodThatAsksForNothingHasNoValues() throws {
    #expect(try Capabilities.values(attachment()) == [:])
  }

  @Test func hostPortsCgroupAndAnnotationsAreHandedOver() throws {
    var pod = attachment()
    pod.portMappings = [
      .init(proto: "TCP", containerPort: 80, hostPort: 8080, hostIP: "127.0.0.1"),
      .init(proto: "udp", containerPort: 53, hostPort: 53, hostIP: ""),
      .init(proto: "tcp", containerPort: 90, hostPort: 0, hostIP: ""),
    ]
    pod.cgroupParent = "/kubepods/pod1"
    pod.annotations = ["b": "2", "a": "1"]
    let values = try Capabilities.values(pod)
    #expect(
      values["portMappings"] == [
        ["hostPort": 8080, "containerPort": 80, "protocol": "tcp", "hostIP": "127.0.0.1"],
        ["hostPort": 53, "containerPort": 53, "protocol": "udp"],
      ])
    #expect(values["cgroupPath"] == "/kubepods/pod1")
    #expect(values["io.kubernetes.cri.pod-annotations"] == ["a": "1", "b": "2"])
  }

  @Test func bandwidthComesFromAnnotations() throws {
    var pod = attachment()
    pod.annotations = ["kubernetes.io/ingress-bandwidth": "10M", "kubernetes.io/egress-bandwidth": "1.5Mi"]
    #expect(
      try Capabilities.values(pod)["bandwidth"] == [
        "ingressRate": 10_000_000, "ingressBurst": 4_294_967_295, "egressRate": 1_572_864, "egressBurst": 4_294_967_295,
      ])
    for bad in ["", "fast", "-1M", "10", "2000P", "1e999", "nan", "0x10M"] {
      pod.annotations = ["kubernetes.io/ingress-bandwidth": bad]
      let error = #expect(throws: Fault.self) { try Capabilities.values(pod) }
      #expect(error?.code == .invalidArgument)
    }
  }
}
