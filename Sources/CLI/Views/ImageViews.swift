import BerthAPI

/// What the image commands show beyond the list.
enum ImageViews {
  /// The names, or the ID's beginning where there is none.
  static func names(_ references: [String], _ id: String) -> String {
    let tags = references.filter { !$0.contains("@") }
    let shown = tags.isEmpty ? references : tags
    return shown.isEmpty ? Short.id(id) : shown.joined(separator: ", ")
  }

  static func lines(_ verdict: Berth_V1_VerifiedImage) -> [String] {
    let repaired = verdict.layers.count { $0.repaired }
    let state = !verdict.whole ? "DAMAGED" : repaired > 0 ? "repaired" : "whole"
    var lines = ["\(names(verdict.references, verdict.id)): \(state), \(verdict.layers.count) layers"]
    lines += verdict.findings.map { "  \($0)" }
    for layer in verdict.layers where !layer.findings.isEmpty {
      lines.append("  layer \(Short.id(layer.id)): \(layer.findings.count) differences" + (layer.repaired ? ", repaired" : ""))
      lines += layer.findings.prefix(20).map { "    \($0)" }
      if layer.findings.count > 20 { lines.append("    and \(layer.findings.count - 20) more") }
      if !layer.failure.isEmpty { lines.append("    not repaired: \(layer.failure)") }
    }
    return lines
  }

  static func usage(_ answer: Berth_V1_DiskUsageResponse) -> Table {
    Table(
      "IMAGE", "IMAGE ID", "SIZE", "SHARED", "CONTAINERS",
      rows: answer.images.map { image in
        [
          names(image.references, image.id), Short.id(image.id), Short.size(image.bytes), Short.size(image.sharedBytes),
          "\(image.containers)",
        ]
      })
  }

  static func referrers(_ answer: Berth_V1_ListReferrersResponse) -> Table {
    Table(
      "TYPE", "DIGEST", "SIZE",
      rows: answer.referrers.map { [$0.artifactType.isEmpty ? $0.mediaType : $0.artifactType, $0.digest, Short.size($0.size)] })
  }

  static func pulls(_ pulls: [Berth_V1_RunningPull], now: Int64) -> Table {
    Table(
      "IMAGE", "KIND", "SINCE", "PROGRESS",
      rows: pulls.map { [$0.reference, $0.kind.isEmpty ? "pull" : $0.kind, Short.age(of: $0.startedAt, now: now), $0.summary] })
  }

  static func lines(_ answer: Berth_V1_ExplainRegistryResponse) -> [String] {
    var lines = [answer.reference]
    for (number, endpoint) in answer.endpoints.enumerated() {
      lines.append("\(number + 1). \(endpoint.url)  (\(endpoint.capabilities.joined(separator: ", ")))")
      lines.append("   \(endpoint.used ? "asked" : "not asked"): \(endpoint.reason)")
      lines.append("   as: \(endpoint.credentials)")
      if !endpoint.proxy.isEmpty { lines.append("   by: \(endpoint.proxy)") }
      lines += endpoint.settings.map { "   \($0)" }
      if !endpoint.answer.isEmpty { lines.append("   answer: \(endpoint.answer)  (\(endpoint.milliseconds) ms)") }
    }
    if answer.endpoints.isEmpty { lines.append("no host may be asked") }
    return lines
  }
}
