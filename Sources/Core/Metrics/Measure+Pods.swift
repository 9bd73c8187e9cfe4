/// Of pods and containers, and what happens to them.
extension Measure {
  private static let stageBounds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

  package static let podStages = Measure(
    "berth_pod_stage_seconds", .histogram, "How long stages of making, stopping and removing pods took, failed ones included.",
    labels: ["stage", "runtime"], bounds: stageBounds)
  package static let containerStages = Measure(
    "berth_container_stage_seconds", .histogram,
    "How long stages of making, starting, stopping and removing containers took, failed ones included.",
    labels: ["stage", "runtime"], bounds: stageBounds)
  package static let runningStages = Measure(
    "berth_stages_running", .gauge, "Operations on pods and containers by the stage they are in now.", labels: ["object", "stage"])
  package static let stalledStages = Measure(
    "berth_stages_stalled", .gauge,
    "Of these, operations that have been in the same stage for over ten seconds, the grace of a stop not counted.",
    labels: ["object", "stage"])
  package static let deadShims = Measure("berth_dead_shims_total", .counter, "Shims that ended while their pod was in use.")
  package static let oomKills = Measure("berth_oom_kills_total", .counter, "Containers that ended because memory ran out.")
  package static let oomKillsByName = Measure(
    "berth_oom_container_kills_total", .counter, "The same by the container's name in its pod.", labels: ["name"])
  package static let droppedEvents = Measure(
    "berth_events_dropped_total", .counter,
    "Events that no subscriber got: one was too slow (slow), there was none (expired after their time, surplus over the queue's length).",
    labels: ["reason"])
  package static let publishedEvents = Measure(
    "berth_events_published_total", .counter, "Events in containerd's topics that were told while somebody listened.")
  package static let eventSubscribers = Measure(
    "berth_events_subscribers", .gauge, "Who listens to events in containerd's topics.")
}

/// Of the plugins of pods' networks.
extension Measure {
  package static let networkCalls = Measure(
    "berth_cni_operations_total", .counter, "Calls of CNI plugins that ended.", labels: ["plugin", "verb"])
  package static let networkErrors = Measure(
    "berth_cni_operation_errors_total", .counter, "Of these, calls that failed.", labels: ["plugin", "verb"])
  package static let networkSeconds = Measure(
    "berth_cni_operation_seconds", .histogram, "How long calls of CNI plugins took.", labels: ["plugin", "verb"],
    bounds: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60])
}

/// Of what is deleted when nothing needs it any more.
extension Measure {
  package static let collections = Measure(
    "berth_gc_runs_total", .counter, "Passes of the garbage collection of layers and documents, by how they ended.", labels: ["result"])
  package static let collectionSeconds = Measure(
    "berth_gc_seconds", .histogram, "How long these passes took.", bounds: [0.001, 0.01, 0.1, 0.5, 1, 5, 10, 60, 300])
  package static let collected = Measure("berth_gc_removed_total", .counter, "What they deleted.", labels: ["kind"])
  package static let collectedBytes = Measure("berth_gc_freed_bytes_total", .counter, "Bytes that they gave back.", labels: ["kind"])
}

/// Of what containers say, from their shims.
extension Measure {
  package static let logInputBytes = Measure("berth_log_input_bytes_total", .counter, "Bytes that containers wrote to their output.")
  package static let logOutputBytes = Measure(
    "berth_log_output_bytes_total", .counter, "Bytes written to containers' logs, time and stream of each record included.")
  package static let logLines = Measure("berth_log_input_lines_total", .counter, "Lines that containers wrote.")
  package static let logRecords = Measure("berth_log_output_records_total", .counter, "Records made of them.")
  package static let logSplits = Measure(
    "berth_log_split_records_total", .counter, "Of these, records that are there because a line was longer than one may be.")
  package static let logLosses = Measure("berth_log_dropped_bytes_total", .counter, "Bytes that could not be written to containers' logs.")
}
