import CRIAPI
import Engine
import SwiftProtobuf

extension RuntimeService {
  func containerStatus(_ request: Runtime_V1_ContainerStatusRequest) throws -> Runtime_V1_ContainerStatusResponse {
    let record = try ledger.findContainer(request.containerID)
    let logDirectory = (try? ledger.sandbox(record.sandboxID).config.content.logDirectory) ?? ""
    return .with {
      $0.status = record.criStatus(logDirectory: logDirectory, image: images.index.image(record.imageID))
      if request.verbose { $0.info = VerboseInfo(record).map }
    }
  }
}
