import CRIAPI
import Core
import Engine
import GRPC
import SwiftProtobuf

extension RuntimeService {
  /// `nil` where the shim has to be asked.
  func containerStatus(_ request: Runtime_V1_ContainerStatusRequest) throws -> EncodedMessage? {
    guard !request.verbose else { return nil }
    let entry = try ledger.findContainerEntry(request.containerID)
    let image = images.index.image(entry.record.imageID)
    let status = entry.encoded(as: .status(image: entry.record.criImage(image).image)) { record in
      Wire.encode(record.criStatus(logDirectory: logDirectory(of: record), image: image))
    }
    return EncodedMessage(field: 1, [status])
  }

  func verboseContainerStatus(_ request: Runtime_V1_ContainerStatusRequest) async throws -> EncodedMessage {
    let record = try ledger.findContainer(request.containerID)
    var response = Runtime_V1_ContainerStatusResponse()
    response.status = record.criStatus(logDirectory: logDirectory(of: record), image: images.index.image(record.imageID))
    response.info = VerboseInfo(record).map
    response.info["log"] = "{\"bytesLost\":\(await pods.lostLogBytes(of: record))}"
    if record.plan.blockedCalls != nil { response.info["seccomp"] = VerboseInfo.blockedCalls(of: record) }
    return try EncodedMessage(response)
  }

  private func logDirectory(of record: ContainerRecord) -> String {
    (try? ledger.sandbox(record.sandboxID).config.content.logDirectory) ?? ""
  }
}
