import CLinux

package enum Affinity {
  /// Binds a process to one processor, and what it starts from now on.
  package static func bind(_ process: Int32, to processor: Int) throws(SystemError) {
    try check("sched_setaffinity", "process \(process)") { clinux_run_on(process, Int32(processor)) }
  }
}
