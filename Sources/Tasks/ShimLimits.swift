/// How long a shim may take. A waiter gives up then; the shim goes on.
struct ShimLimits: Sendable {
  var setup = Duration.seconds(30)
  /// Calls that a runtime's work may be behind: create, start, kill, delete.
  var runtime = Duration.seconds(120)
  /// Calls answered from the shim's memory.
  var quick = Duration.seconds(10)
  /// What an exec may take beyond its own timeout, to be killed.
  var execGrace = Duration.seconds(5)
  /// From Teardown's answer to the shim's end.
  var farewell = Duration.seconds(5)
  /// One `runc delete --force`.
  var forcedDelete = Duration.seconds(10)
  /// The same of berth-runtime, behind which a machine may have to stop.
  var foreignDelete = Duration.seconds(30)
}
