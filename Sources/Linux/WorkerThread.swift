import CLinux

/// A thread of its own for work that may wait on a disk or a process, which no thread of Swift's concurrency pool should.
package struct WorkerThread: Sendable {
  private let thread: pthread_t

  /// Runs `body` on a new thread that `top -H` shows as `name` (15 bytes at most). ``join()`` it exactly once.
  package init(_ name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
    let box = Unmanaged.passRetained(Body(run: body))
    var thread = pthread_t()
    let error = clinux_thread_start(
      &thread, String(name.prefix(15)),
      { argument in
        Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
        return nil
      }, box.toOpaque())
    guard error == 0 else {
      box.release()
      throw SystemError(error, call: "pthread_create", object: name)
    }
    self.thread = thread
  }

  /// Waits until `body` returned.
  package func join() { pthread_join(thread, nil) }

  private final class Body {
    let run: @Sendable () -> Void
    init(run: @escaping @Sendable () -> Void) { self.run = run }
  }
}
