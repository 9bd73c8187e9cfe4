import CRIAPI
import Core
import OCI

extension SpecInputs {
  /// sun_path of unix(7), its NUL aside.
  private static let pathLimit = 107

  /// Nil where nobody asks for one, or the container has no filter that blocks anything.
  func addNotifier(to spec: inout RuntimeSpec, _ warnings: inout [String]) throws(Fault) -> SeccompNotifier? {
    let annotation = ExperimentalAnnotation.seccompNotifier
    guard let action = experiment(annotation) ?? allowed.value(annotation, in: sandbox.annotations, container: "POD") else { return nil }
    guard seccompSocket.utf8.count <= Self.pathLimit else {
      throw Fault(
        .failedPrecondition, "\(annotation.field): \(seccompSocket) is too long for a socket: the daemon's state directory is too deep")
    }
    if spec.linux.seccomp?.listenerPath != nil {
      warnings.append("\(annotation.field) has no effect: the container's seccomp profile has an agent of its own (listenerPath)")
      return nil
    }
    guard let calls = spec.linux.seccomp?.notify(at: seccompSocket), !calls.isEmpty else {
      warnings.append("\(annotation.field) has no effect: the container has no seccomp profile that blocks anything")
      return nil
    }
    return SeccompNotifier(stops: action == "stop", calls: calls)
  }
}
