import CRIAPI
import Engine
import SwiftProtobuf

extension RuntimeService {
  /// `nil` where the shim has to be asked.
  func containerStatus(_ request: Runtime_V1_ContainerStatusRequest) throws -> Runtime_V1_ContainerStatusResponse? {
    request.verbose ? nil : response(try ledger.findContainer(request.containerID))
  }

  func verboseContainerStatus(_ request: Runtime_V1_ContainerStatusRequest) async throws -> Runtime_V1_ContainerStatusResponse {
    let record = try ledger.findContainer(request.containerID)
    var response = response(record)
    response.info = VerboseInfo(record).map
    response.info["log"] = "{\"bytesLost\":\(await pods.lostLogBytes(of: record))}"
    return response
  }

  private func response(_ record: ContainerRecord) -> Runtime_V1_ContainerStatusResponse {
    let logDirectory = (try? ledger.sandbox(record.sandboxID).config.content.logDirectory) ?? ""
    return .with { $0.status = record.criStatus(logDirectory: logDirectory, image: images.index.image(record.imageID)) }
  }
}
