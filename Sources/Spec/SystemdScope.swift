import CRIAPI
import Core

extension SpecInputs {
  /// The kubelet's words for how long a pod's containers may take to end, in seconds.
  private static let gracePeriod = "io.kubernetes.pod.terminationGracePeriod"

  /// Properties of the container's scope, as the OCI runtime takes them for systemd (`org.systemd.property.NAME`, values as GVariant text): when the
  /// node goes down, containers end before berthd does, and each has as long for it as its pod says.
  var scopeProperties: [String: String] {
    guard node.cgroupDriver == .systemd else { return [:] }
    var properties = ["DefaultDependencies": "true", "After": "['berthd.service']"]
    if let text = container.annotations[Self.gracePeriod], let seconds = UInt32(text) {
      properties["TimeoutStopUSec"] = "uint64 \(UInt64(seconds) * 1_000_000)"
    }
    return Dictionary(uniqueKeysWithValues: properties.map { ("org.systemd.property." + $0.key, $0.value) })
  }
}
