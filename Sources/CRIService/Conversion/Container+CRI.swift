import CRIAPI
import Core
import Engine
import OCI
import Spec
import SwiftProtobuf

extension ContainerRecord {
  var criState: Runtime_V1_ContainerState {
    switch state {
    case .created: .containerCreated
    case .running: .containerRunning
    case .exited: .containerExited
    }
  }

  var criListItem: Runtime_V1_Container {
    .with {
      $0.id = id
      $0.podSandboxID = sandboxID
      $0.metadata = config.content.metadata
      $0.image = config.content.image
      $0.imageRef = imageRef
      $0.imageID = imageID.description
      $0.state = criState
      $0.createdAt = createdAt
      $0.labels = config.content.labels
      $0.annotations = config.content.annotations
    }
  }

  /// - Parameter image: the container's image, while it is on this node.
  func criStatus(logDirectory: String, image: ImageRecord?) -> Runtime_V1_ContainerStatus {
    .with {
      $0.id = id
      $0.metadata = config.content.metadata
      $0.state = criState
      $0.createdAt = createdAt
      $0.startedAt = startedAt
      $0.image = criImage(image)
      $0.imageRef = imageRef
      $0.imageID = imageID.description
      $0.labels = config.content.labels
      $0.annotations = config.content.annotations
      $0.mounts = config.content.mounts
      for (index, id) in volumeImages ?? [:] { $0.mounts[index].image.imageRef = id.description }
      if !logDirectory.isEmpty, !config.content.logPath.isEmpty { $0.logPath = logDirectory + "/" + config.content.logPath }
      $0.resources = .with { $0.linux = resources }
      $0.user = .with { $0.linux = user.cri }
      $0.stopSignal = StopSignal.message(for: stopSignal)
      if let exit { fill(&$0, exit) }
    }
  }

  /// The image by a name that people know: the one the pod asked for, else the one the kubelet gave where it is a tag, else the image's first tag.
  func criImage(_ image: ImageRecord?) -> Runtime_V1_ImageSpec {
    var spec = config.content.image
    let tags = image?.tags ?? []
    if !spec.userSpecifiedImage.isEmpty, tags.contains(spec.userSpecifiedImage) {
      spec.image = spec.userSpecifiedImage
    } else if Digest(spec.image) != nil || Digest("sha256:" + spec.image) != nil, let tag = tags.first {
      spec.image = tag
    }
    return spec
  }

  private func fill(_ status: inout Runtime_V1_ContainerStatus, _ exit: ExitRecord) {
    status.finishedAt = exit.finishedAt
    status.exitCode = exit.exitCode
    status.message = exit.message
    status.reason =
      if !exit.reason.isEmpty { exit.reason } else if exit.oomKilled { "OOMKilled" } else { exit.exitCode == 0 ? "Completed" : "Error" }
  }
}

extension ContainerUser {
  var cri: Runtime_V1_LinuxContainerUser {
    .with {
      $0.uid = Int64(uid)
      $0.gid = Int64(gid)
      $0.supplementalGroups = supplementalGroups.map(Int64.init)
    }
  }
}
