/// One thing that is counted or measured, as Prometheus knows it.
package struct Measure: Sendable {
  package enum Kind: String, Sendable {
    case counter, gauge, histogram
  }

  package let name: String
  package let kind: Kind
  package let help: String
  /// Names of its labels.
  package let labels: [String]
  /// Upper bounds of a histogram's buckets, growing.
  package let bounds: [Double]

  package init(_ name: String, _ kind: Kind, _ help: String, labels: [String] = [], bounds: [Double] = []) {
    self.name = name
    self.kind = kind
    self.help = help
    self.labels = labels
    self.bounds = bounds
  }
}

/// A measure is its name: no two share one.
extension Measure: Hashable {
  package static func == (one: Measure, other: Measure) -> Bool { one.name == other.name }

  package func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

/// Of image pulls and registries.
extension Measure {
  package static let pulls = Measure(
    "berth_image_pulls_total", .counter, "Pulls that ended, by how: ok, or the gRPC code of the failure.", labels: ["result"])
  package static let pullSeconds = Measure(
    "berth_image_pull_seconds", .histogram, "How long pulls that succeeded took.",
    bounds: [0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800])
  package static let pulledBytes = Measure(
    "berth_image_pulled_bytes_total", .counter, "Bytes of blobs received from registries.")
  package static let repeatedBytes = Measure(
    "berth_image_repeated_bytes_total", .counter, "Of these, bytes that had been received before or were of no use.")
  package static let layers = Measure(
    "berth_image_layers_total", .counter, "Layers of pulled images: fetched, or already present.", labels: ["source"])
  package static let pullRate = Measure(
    "berth_image_pull_bytes_per_second", .histogram, "Bytes received per second of a pull that succeeded and received some.",
    bounds: [1e5, 5e5, 1e6, 5e6, 1e7, 2.5e7, 5e7, 1e8, 2.5e8, 5e8, 1e9])
  package static let layerBytes = Measure(
    "berth_image_layer_bytes", .histogram, "Packed sizes of layers that were fetched.",
    bounds: [1e3, 1e4, 1e5, 1e6, 5e6, 1e7, 5e7, 1e8, 2.5e8, 5e8, 1e9, 5e9])
  package static let skippedBytes = Measure(
    "berth_image_skipped_bytes_total", .counter, "Bytes of layers that were not fetched since they were here.")
  package static let registryRequests = Measure(
    "berth_registry_requests_total", .counter, "Responses of registries by status; \"none\" where there was none.", labels: ["status"])
  package static let registryRetries = Measure(
    "berth_registry_retries_total", .counter, "Requests and transfers that failed for a passing reason and were tried again.",
    labels: ["reason"])
}
