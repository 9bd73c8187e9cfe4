import BerthAPI
import Engine
import OCI
import SwiftProtobuf

/// Turns a pull's progress into messages: each layer when it changed, a few times a second.
enum LayerReports {
  private static let interval = Duration.milliseconds(200)

  /// Until cancelled.
  static func follow(_ progress: PullProgress, _ send: (Berth_V1_LayerProgress) async throws -> Void) async throws {
    var sent: [PullProgress.Layer] = []
    while !Task.isCancelled {
      try await Task.sleep(for: interval)
      let layers = progress.layers()
      for (number, layer) in layers.enumerated() where sent.count != layers.count || sent[number] != layer {
        try await send(message(number, layer))
      }
      sent = layers
    }
  }

  /// Where everything stands at the end.
  static func last(_ progress: PullProgress, _ send: (Berth_V1_LayerProgress) async throws -> Void) async throws {
    for (number, layer) in progress.layers().enumerated() { try await send(message(number, layer)) }
  }

  private static func message(_ number: Int, _ layer: PullProgress.Layer) -> Berth_V1_LayerProgress {
    .with {
      $0.index = UInt32(number)
      $0.digest = layer.digest.description
      $0.phase = phase(layer.phase)
      $0.done = UInt64(clamping: layer.received)
      $0.total = UInt64(clamping: layer.total)
    }
  }

  private static func phase(_ phase: PullProgress.Phase) -> Berth_V1_LayerProgress.Phase {
    switch phase {
    case .waiting: .waiting
    case .present: .present
    case .downloading, .applying: .fetching
    case .committing: .committing
    case .done: .done
    }
  }
}

extension ImageRecord {
  var imported: Berth_V1_ImportedImage {
    .with {
      $0.id = id.description
      $0.references = tags + digests
      $0.size = UInt64(clamping: size)
    }
  }
}
