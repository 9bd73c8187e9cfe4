import CRIAPI
import Core
import OCI

/// How spans name what they are about, by OpenTelemetry's conventions where those have a name for it. Nothing of what a pod was given is told: its
/// environment, arguments and annotations may hold secrets.
extension SpanAttributes {
  static func pod(_ metadata: Runtime_V1_PodSandboxMetadata) -> SpanAttributes {
    [
      "k8s.pod.name": .string(metadata.name), "k8s.namespace.name": .string(metadata.namespace), "k8s.pod.uid": .string(metadata.uid),
      "berth.pod.attempt": .int(Int64(metadata.attempt)),
    ]
  }

  static func sandbox(_ record: SandboxRecord) -> SpanAttributes {
    pod(record.config.content.metadata) + ["berth.sandbox.id": .string(record.id)]
  }

  static func container(_ record: ContainerRecord) -> SpanAttributes {
    [
      "container.id": .string(record.id), "k8s.container.name": .string(record.name), "berth.sandbox.id": .string(record.sandboxID),
      "container.image.id": "\(record.imageID)",
    ]
  }

  static func blob(_ blob: Descriptor) -> SpanAttributes {
    ["berth.blob.digest": "\(blob.digest)", "berth.blob.size": .int(blob.size)]
  }
}
