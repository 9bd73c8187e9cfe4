import BerthAPI
import SwiftProtobuf

/// A push as it is shown.
enum PushDisplay {
  /// Pushes and shows; returns what the registry has now.
  static func push(
    _ request: Berth_V1_PushRequest, _ runtime: Runtime, _ manner: TransferDisplay.Manner, _ console: Console
  ) async throws -> Berth_V1_PushedImage {
    var display = TransferDisplay(reference: request.to.isEmpty ? request.image : request.to, console: console, manner: manner)
    var pushed: Berth_V1_PushedImage?
    do {
      try await runtime.push(request) { event in
        if manner == .json { try console.print(json: event) }
        switch event.event {
        case .resolved(let resolved): display.show(resolved)
        case .layer(let layer): display.show(layer)
        case .pushed(let image): pushed = image
        case nil: break
        }
      }
    } catch {
      display.clear()
      throw error
    }
    guard let pushed else { throw Failure("push \(request.image): berthd ended the push without an answer") }
    display.finish(Short.id(pushed.digest), "sent")
    return pushed
  }
}
