import BerthAPI
import Core
import Engine
import GRPC
import OCI
import SwiftProtobuf

extension BerthService {
  func push(_ request: Berth_V1_PushRequest, _ writer: GRPCResponseWriter<Berth_V1_PushProgress>) async throws {
    guard !request.image.isEmpty else { throw Fault(.invalidArgument, "image: the name is empty") }
    let choice = try PlatformChoice(request.platform, all: request.allPlatforms, otherwise: .host)
    let credentials = RegistryCredentials(request.credentials)
    try await writer.open()
    let progress = PullProgress()
    let pushed = try await LayerReports.during(progress) { report in
      try await writer.write(Berth_V1_PushProgress(report))
    } _: {
      try await images.push(request.image, to: request.to, choice, credentials: credentials, target: registry, progress: progress)
    }
    try await writer.write(
      .with {
        $0.pushed.reference = "\(pushed.reference)"
        $0.pushed.digest = pushed.digest.description
      })
  }
}

extension Berth_V1_PushProgress {
  fileprivate init(_ report: LayerReports.Report) {
    self.init()
    switch report {
    case .resolved(let resolved): self.resolved = resolved
    case .layer(let layer): self.layer = layer
    }
  }
}

extension PlatformChoice {
  /// - Parameters:
  ///   - platform: as a person writes it; may be empty.
  ///   - standard: what is meant where nothing is said.
  init(_ platform: String, all: Bool, otherwise standard: PlatformChoice) throws(Fault) {
    switch (platform.isEmpty, all) {
    case (true, true): self = .all
    case (true, false): self = standard
    case (false, true): throw Fault(.invalidArgument, "platform: one platform and all of them cannot both be wanted")
    case (false, false): self = .one(try Self.parse(platform))
    }
  }

  private static func parse(_ text: String) throws(Fault) -> Platform {
    if let platform = Platform(text) { return platform }
    throw Fault(.invalidArgument, "platform: \"\(text.prefix(100))\" is not os/architecture or os/architecture/variant")
  }
}
