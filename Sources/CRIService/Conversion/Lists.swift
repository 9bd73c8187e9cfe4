import CRIAPI
import Engine
import SwiftProtobuf

/// What lists answer with: entries that fit, newest first, each encoded once for as long as it does not change.
extension RuntimeService {
  func entries(_ filter: SandboxFilter) -> [SandboxEntry] {
    ledger.sandboxView().entries.filter { $0.record.state != .creating && filter.matches($0.record) }
  }

  func entries(_ filter: ContainerFilter) -> [ContainerEntry] { ledger.containerView().entries.filter { filter.matches($0.record) } }
}

extension SandboxEntry {
  var criListItem: [UInt8] { encoded(as: .listItem) { Wire.encode($0.criListItem) } }

  /// A PodSandboxStats with its attributes alone.
  var criAttributes: [UInt8] {
    encoded(as: .attributes) { record in
      Wire.encode(
        Runtime_V1_PodSandboxStats.with {
          $0.attributes = .with {
            $0.id = record.id
            $0.metadata = record.config.content.metadata
            $0.labels = record.config.content.labels
            $0.annotations = record.config.content.annotations
          }
        })
    }
  }
}

extension ContainerEntry {
  var criListItem: [UInt8] { encoded(as: .listItem) { Wire.encode($0.criListItem) } }

  /// A ContainerStats with its attributes alone.
  var criAttributes: [UInt8] {
    encoded(as: .attributes) { record in
      Wire.encode(
        Runtime_V1_ContainerStats.with {
          $0.attributes = .with {
            $0.id = record.id
            $0.metadata = record.config.content.metadata
            $0.labels = record.config.content.labels
            $0.annotations = record.config.content.annotations
          }
        })
    }
  }
}

enum Wire {
  /// Messages of our own making always encode: only required fields and invalid `Any`s cannot be, of which the CRI has none.
  static func encode(_ message: some Message) -> [UInt8] { (try? message.serializedBytes()) ?? [] }
}
