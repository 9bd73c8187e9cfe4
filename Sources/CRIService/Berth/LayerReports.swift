import BerthAPI
import Engine
import OCI
import SwiftProtobuf

/// Turns a pull's progress into messages: each layer when it changed, a few times a second.
enum LayerReports {
  private static let interval = Duration.milliseconds(200)

  enum Report: Sendable {
    case resolved(Berth_V1_Resolved)
    case layer(Berth_V1_LayerProgress)
  }

  /// Tells of `progress` while `body` runs, and where everything stands when that is done.
  static func during<T>(
    _ progress: PullProgress, tell: @escaping @Sendable (Report) async throws -> Void, _ body: () async throws -> T
  ) async throws -> T {
    let reporter = Task { try await follow(progress, tell) }
    defer { reporter.cancel() }
    let result = try await body()
    reporter.cancel()
    let isResolved = (try? await reporter.value) == true
    if !isResolved, let resolved = resolved(progress) { try await tell(.resolved(resolved)) }
    for layer in all(progress) { try await tell(.layer(layer)) }
    return result
  }

  /// Until cancelled. Whether it came to telling what the name is.
  private static func follow(_ progress: PullProgress, _ tell: (Report) async throws -> Void) async throws -> Bool {
    var sent: [PullProgress.Layer] = []
    var isResolved = false
    while !Task.isCancelled {
      try? await Task.sleep(for: interval)
      if Task.isCancelled { break }
      if !isResolved, let known = resolved(progress) {
        isResolved = true
        try await tell(.resolved(known))
      }
      let layers = progress.layers()
      for (number, layer) in layers.enumerated() where sent.count != layers.count || sent[number] != layer {
        try await tell(.layer(message(number, layer)))
      }
      sent = layers
    }
    return isResolved
  }

  static func all(_ progress: PullProgress) -> [Berth_V1_LayerProgress] { progress.layers().enumerated().map { message($0, $1) } }

  private static func resolved(_ progress: PullProgress) -> Berth_V1_Resolved? {
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
