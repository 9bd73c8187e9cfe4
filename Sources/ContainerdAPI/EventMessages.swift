import SwiftProtobuf

/// The messages that events of containerd's topics carry, by name.
package enum EventMessages {
  private static let known: [String: any Message.Type] = {
    let types: [any Message.Type] = [
      Containerd_Events_ContainerCreate.self, Containerd_Events_ContainerUpdate.self, Containerd_Events_ContainerDelete.self,
      Containerd_Events_ContentCreate.self, Containerd_Events_ContentDelete.self, Containerd_Events_NamespaceCreate.self,
      Containerd_Events_NamespaceUpdate.self, Containerd_Events_NamespaceDelete.self, Containerd_Events_SandboxCreate.self,
      Containerd_Events_SandboxStart.self, Containerd_Events_SandboxExit.self, Containerd_Events_SnapshotPrepare.self,
      Containerd_Events_SnapshotCommit.self, Containerd_Events_SnapshotRemove.self, Containerd_Events_TaskCreate.self,
      Containerd_Events_TaskStart.self, Containerd_Events_TaskDelete.self, Containerd_Events_TaskExit.self,
      Containerd_Events_TaskOOM.self, Containerd_Events_TaskExecAdded.self, Containerd_Events_TaskExecStarted.self,
      Containerd_Events_TaskPaused.self, Containerd_Events_TaskResumed.self, Containerd_Events_TaskCheckpointed.self,
      Containerd_Services_Images_V1_ImageCreate.self, Containerd_Services_Images_V1_ImageUpdate.self,
      Containerd_Services_Images_V1_ImageDelete.self,
    ]
    return Dictionary(uniqueKeysWithValues: types.map { ($0.protoMessageName, $0) })
  }()

  /// The message with the definitions' own names of fields; `nil` where it is none of these, or is damaged.
  package static func json(_ url: String, _ value: [UInt8]) -> String? {
    let name = url.split(separator: "/").last.map(String.init) ?? url
    guard let message = try? known[name]?.init(serializedBytes: value) else { return nil }
    var options = JSONEncodingOptions()
    options.preserveProtoFieldNames = true
    options.alwaysPrintInt64sAsNumbers = true
    return try? message.jsonString(options: options)
  }
}
