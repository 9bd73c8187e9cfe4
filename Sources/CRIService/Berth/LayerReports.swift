import BerthAPI
import Engine
import OCI
import SwiftProtobuf

/// Turns a pull's progress into messages: each layer when it changed, a few times a second.
enum LayerReports {
  private static let interval = Duration.milliseconds(200)

  /// Until cancelled. Whether it came to telling what the name is.
  static func follow(
    _ progress: PullProgress, resolved: (Berth_V1_Resolved) async throws -> Void, _ send: (Berth_V1_LayerProgress) async throws -> Void
  ) async throws -> Bool {
    var sent: [PullProgress.Layer] = []
    var isResolved = false
    while !Task.isCancelled {
      try? await Task.sleep(for: interval)
      if Task.isCancelled { break }
      if !isResolved, let known = Self.resolved(progress) {
        isResolved = true
        try await resolved(known)
      }
      let layers = progress.layers()
      for (number, layer) in layers.enumerated() where sent.count != layers.count || sent[number] != layer {
        try await send(message(number, layer))
      }
      sent = layers
    }
    return isResolved
  }

  /// Where everything stands at the end.
  static func last(_ progress: PullProgress, _ send: (Berth_V1_LayerProgress) async throws -> Void) async throws {
    for (number, layer) in progress.layers().enumerated() { try await send(message(number, layer)) }
  }

  static func all(_ progress: PullProgress) -> [Berth_V1_LayerProgress] { progress.layers().enumerated().map { message($0, $1) } }

  static func resolved(_ progress: PullProgress) -> Berth_V1_Resolved? {
    progress.resolved.map { resolved in
      let layers = progress.layers()
      return .with {
        $0.reference = resolved.reference
        $0.digest = resolved.manifest.description
        $0.layers = UInt32(layers.count)
        $0.totalBytes = UInt64(clamping: layers.reduce(0) { $0 + $1.total })
      }
    }
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
    case .checking: .checking
    case .uploading: .uploading
    case .mounted: .mounted
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
