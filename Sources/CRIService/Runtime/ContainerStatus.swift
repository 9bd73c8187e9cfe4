import CRIAPI
import Engine
import SwiftProtobuf

extension RuntimeService {
  func containerStatus(_ request: Runtime_V1_ContainerStatusRequest) async throws -> Runtime_V1_ContainerStatusResponse {
    let record = try ledger.findContainer(request.containerID)
    let logDirectory = (try? ledger.sandbox(record.sandboxID).config.content.logDirectory) ?? ""
    var info: [String: String] = [:]
    if request.verbose {
      info = VerboseInfo(record).map
      info["log"] = "{\"bytesLost\":\(await pods.lostLogBytes(of: record))}"
    }
    return .with {
      $0.status = record.criStatus(logDirectory: logDirectory, image: images.index.image(record.imageID))
      $0.info = info
    }
  }
}
