/// Measures in Prometheus' text format, version 0.0.4.
package enum PrometheusText {
  package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  package static func render(_ families: [Metrics.Family]) -> String {
    var text = ""
    for (measure, samples) in families {
      text += "# HELP \(measure.name) \(escape(measure.help, quotes: false))\n# TYPE \(measure.name) \(measure.kind.rawValue)\n"
      for sample in samples {
        if measure.kind == .histogram {
          append(histogram: measure, sample, to: &text)
        } else {
          append(measure.name, measure.labels, sample.labels, sample.value, to: &text)
        }
      }
    }
    return text
  }

  private static func append(histogram measure: Measure, _ sample: Metrics.Sample, to text: inout String) {
    let counts = zip(measure.bounds + [.infinity], sample.buckets + [sample.count])
    for (bound, count) in counts {
      append(measure.name + "_bucket", measure.labels + ["le"], sample.labels + [number(bound)], Double(count), to: &text)
    }
    append(measure.name + "_sum", measure.labels, sample.labels, sample.value, to: &text)
    append(measure.name + "_count", measure.labels, sample.labels, Double(sample.count), to: &text)
  }

  /// One line. There may be tens of thousands: nothing is made but the text itself.
  private static func append(_ name: String, _ labels: [String], _ values: [String], _ value: Double, to text: inout String) {
    text += name
    for index in 0..<min(labels.count, values.count) {
      text += index == 0 ? "{" : ","
      text += labels[index]
      text += "=\""
      text += escape(values[index], quotes: true)
      text += "\""
    }
    text += labels.isEmpty || values.isEmpty ? " " : "} "
    text += number(value)
    text += "\n"
  }

  /// Whole numbers without a point.
  private static func number(_ value: Double) -> String {
    if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
    if value.isNaN { return "NaN" }
    return value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
  }

  private static func escape(_ text: String, quotes: Bool) -> String {
    guard text.utf8.contains(where: { $0 == 0x5C || $0 == 0x0A || $0 == 0x22 }) else { return text }
    let plain = text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
    return quotes ? plain.replacing("\"", with: "\\\"") : plain
  }
}
