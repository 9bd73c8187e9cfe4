import Core
import Testing

@Suite struct MetricsTests {
  private static let counter = Measure("a_total", .counter, "A \\ and\nB", labels: ["x"])
  private static let histogram = Measure("b_seconds", .histogram, "B", labels: ["m"], bounds: [0.5, 2])

  @Test func `counters, gauges and histograms are rendered as Prometheus reads them`() async {
    let metrics = Metrics()
    metrics.add(Self.counter, labels: ["q\"\\\n"])
    metrics.add(Self.counter, 2.5, labels: ["b"])
    for value in [0.5, 1, 3] { metrics.observe(Self.histogram, value, labels: ["get"]) }
    metrics.gauge(Measure("c", .gauge, "C")) { [.init(labels: [], value: 7)] }
    let text = PrometheusText.render(await metrics.collect())
    #expect(
      text == """
        # HELP a_total A \\\\ and\\nB
        # TYPE a_total counter
        a_total{x="b"} 2.5
        a_total{x="q\\"\\\\\\n"} 1
        # HELP b_seconds B
        # TYPE b_seconds histogram
        b_seconds_bucket{m="get",le="0.5"} 1
        b_seconds_bucket{m="get",le="2"} 2
        b_seconds_bucket{m="get",le="+Inf"} 3
        b_seconds_sum{m="get"} 4.5
        b_seconds_count{m="get"} 3
        # HELP c C
        # TYPE c gauge
        c 7

        """, "\(text)")
  }

  @Test func `labels without end become one`() async {
    let metrics = Metrics()
    for number in 0..<1000 { metrics.add(Self.counter, labels: ["\(number)"]) }
    let samples = await metrics.collect()[0].samples
    #expect(samples.count == Metrics.limit + 1)
    #expect(samples.first { $0.labels == ["other"] }?.value == Double(1000 - Metrics.limit))
    #expect(samples.reduce(0) { $0 + $1.value } == 1000)
  }

  @Test func `groups that were not chosen are neither told nor read`() async {
    let metrics = Metrics([.pods, .oom])
    metrics.add(.oomKills)
    metrics.add(.pulls, labels: ["ok"])
    metrics.gauge(Measure("berth_images", .gauge, "")) {
      Issue.record("it was read")
      return []
    }
    metrics.gauge(Measure("berth_build_info", .gauge, "")) { [.init(labels: [], value: 1)] }
    #expect(await metrics.collect().map(\.measure.name) == ["berth_build_info", "berth_oom_kills_total"])
  }

  @Test func `every measure of the core is in a group, by the longest word`() {
    let measures: [(Measure, Collector)] = [
      (.podStages, .pods), (.containerStages, .pods), (.runningStages, .pods), (.stalledStages, .pods), (.deadShims, .pods),
      (.oomKills, .oom), (.oomKillsByName, .oom), (.droppedEvents, .events), (.networkCalls, .network), (.networkErrors, .network),
      (.networkSeconds, .network), (.collections, .garbage), (.collectionSeconds, .garbage), (.collected, .garbage),
      (.collectedBytes, .garbage), (.logInputBytes, .logs), (.logOutputBytes, .logs), (.logLines, .logs), (.logRecords, .logs),
      (.logSplits, .logs), (.logLosses, .logs), (.pulls, .images), (.pullSeconds, .images), (.pullRate, .images), (.layerBytes, .images),
      (.publishedEvents, .events), (.eventSubscribers, .events), (.skippedBytes, .images), (.layers, .images),
      (.registryRequests, .registry), (.registryRetries, .registry),
    ]
    for (measure, collector) in measures { #expect(Collector(of: measure) == collector, "\(measure.name)") }
    #expect(Collector(of: Measure("berth_build_info", .gauge, "")) == nil)
  }
}
