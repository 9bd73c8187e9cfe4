/// Measures in Prometheus' text format, version 0.0.4.
package enum PrometheusText {
  package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  package static func render(_ measures: [(measure: Measure, samples: [Metrics.Sample])]) -> String {
    var text = ""
    for (measure, samples) in measures {
      text += "# HELP \(measure.name) \(escape(measure.help, quotes: false))\n# TYPE \(measure.name) \(measure.kind.rawValue)\n"
      for sample in samples {
        text += measure.kind == .histogram ? histogram(measure, sample) : line(measure.name, pairs(measure, sample), sample.value)
      }
    }
    return text
  }

  private static func histogram(_ measure: Measure, _ sample: Metrics.Sample) -> String {
    var text = ""
    let own = pairs(measure, sample)
    for (bound, count) in zip(measure.bounds, sample.buckets) {
      text += line(measure.name + "_bucket", own + [("le", number(bound))], Double(count))
    }
    text += line(measure.name + "_bucket", own + [("le", "+Inf")], Double(sample.count))
    return text + line(measure.name + "_sum", own, sample.value) + line(measure.name + "_count", own, Double(sample.count))
  }

  private static func pairs(_ measure: Measure, _ sample: Metrics.Sample) -> [(String, String)] {
    Array(zip(measure.labels, sample.labels))
  }

  private static func line(_ name: String, _ labels: [(String, String)], _ value: Double) -> String {
    let inner = labels.map { "\($0)=\"\(escape($1, quotes: true))\"" }.joined(separator: ",")
    return "\(name)\(inner.isEmpty ? "" : "{\(inner)}") \(number(value))\n"
  }

  /// Whole numbers without a point.
  private static func number(_ value: Double) -> String {
    if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
    if value.isNaN { return "NaN" }
    return value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
  }

  private static func escape(_ text: String, quotes: Bool) -> String {
    let plain = text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
    return quotes ? plain.replacing("\"", with: "\\\"") : plain
  }
}
