import CRIAPI
import Core

extension SpecInputs {
  /// What the container itself says, else its pod about it (`NAME/CONTAINER`), else its pod; nil where nobody does, or may.
  func experiment(_ annotation: ExperimentalAnnotation) -> AllowedAnnotations.Found? {
    allowed.find(annotation, in: container.annotations)
      ?? allowed.find(annotation, in: sandbox.annotations, suffix: container.metadata.name)
  }

  /// An annotation that is not allowed is none; who wrote it should be able to find out.
  func warnOfRefused(_ warnings: inout [String]) {
    let names = Set(allowed.refused(in: sandbox.annotations) + allowed.refused(in: container.annotations)).sorted()
    warnings += names.map { "annotation \($0): has no effect, allowed_annotations of its runtime handler does not name it" }
  }

  /// Up to four octal digits.
  func umask() throws(Fault) -> UInt32? {
    guard let (name, text) = experiment(.umask) else { return nil }
    guard (1...4).contains(text.utf8.count), text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }),
      let mask = UInt32(text, radix: 8)
    else {
      throw Fault(.invalidArgument, "annotations[\"\(name)\"]: \"\(text.prefix(64))\" is no umask of up to four octal digits")
    }
    return mask
  }
}
