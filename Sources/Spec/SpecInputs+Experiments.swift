import CRIAPI
import Core

extension SpecInputs {
  /// What the container itself says, else its pod about it, else its pod; nil where nobody does, or may.
  func experiment(_ annotation: ExperimentalAnnotation) -> String? {
    allowed.containerValue(annotation, container.annotations, container: container.metadata.name, in: sandbox.annotations)
  }

  /// Those of pods are told of when the pod is run.
  func warnOfRefused(_ warnings: inout [String]) {
    warnings += allowed.refused(container.annotations).map { "annotation \($0) is ignored: its runtime handler does not allow it" }
  }

  /// Up to four octal digits.
  func umask() throws(Fault) -> UInt32? {
    guard let text = experiment(.umask) else { return nil }
    guard (1...4).contains(text.utf8.count), text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }),
      let mask = UInt32(text, radix: 8)
    else {
      throw Fault(.invalidArgument, "\(ExperimentalAnnotation.umask.field): \"\(text.prefix(64))\" is no umask of up to four octal digits")
    }
    return mask
  }
}

extension ExperimentalAnnotation {
  /// For messages.
  package var field: String { "annotations[\"\(rawValue)\"]" }
}
