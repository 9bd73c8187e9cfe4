import CLinux

/// The choke point of system calls: errno is read before anything else can run, EINTR is retried.
/// Not for close(2): on Linux the descriptor is gone even after EINTR.
@discardableResult
package func check<T: SignedInteger>(_ call: StaticString, _ object: @autoclosure () -> String = "", _ body: () -> T)
  throws(SystemError) -> T
{
  while true {
    let result = body()
    if result != -1 { return result }
    let number = clinux_errno()
    if number != EINTR { throw SystemError(number, call: "\(call)", object: object()) }
  }
}
