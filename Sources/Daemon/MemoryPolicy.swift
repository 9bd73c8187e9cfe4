import CMalloc
import Linux

/// How much memory a daemon that is idle most of the time keeps.
enum MemoryPolicy {
  /// Blocks from here on (buffers of pulls) are mapped by themselves, so that freeing them gives them back at once.
  private static let mapped: Int32 = 1 << 20
  /// Free memory at the heap's end that is kept for the next call: a list of a thousand containers does not begin with page faults.
  private static let kept: Int32 = 4 << 20
  /// Otherwise each thread that ever worked keeps an arena, with what is free in it.
  private static let arenas: Int32 = 2
  private static let interval = Duration.seconds(30)

  static func apply() {
    mallopt(M_ARENA_MAX, arenas)
    mallopt(M_MMAP_THRESHOLD, mapped)
    mallopt(M_TRIM_THRESHOLD, kept)
  }

  /// Gives back what is free, wherever it is in the heap: pulls that follow each other begin from as little as the first.
  static func giveBack() { malloc_trim(0) }

  /// Gives back now and then what only the start, a pull or a burst of calls needed. Ends with its task.
  static func keepSmall() async {
    while !Task.isCancelled {
      try? await Task.sleep(for: interval)
      ProcessMemory.dropProgramPages()
      giveBack()
    }
  }
}
