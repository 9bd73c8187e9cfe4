import Core

extension Measure {
  static let spansSent = Measure("berth_trace_spans_sent_total", .counter, "Spans that a collector of traces took.")
  static let spansDropped = Measure(
    "berth_trace_spans_dropped_total", .counter,
    "Spans that were not sent: queue (too many waited), export (the collector did not take the batch in time or at all), rejected (it took the others), shutdown.",
    labels: ["reason"])
  static let spansWaiting = Measure("berth_trace_spans_waiting", .gauge, "Spans that wait to be sent.")
}
