/// Annotations that a runtime handler lets through to the OCI runtime, for those that read them (kata, gVisor, hooks). Names are patterns: `*` stands for
/// any characters but `/`, `?` for one.
package struct PassedAnnotations: Sendable, Hashable {
  package var pod: [String]
  package var container: [String]

  package init(pod: [String] = [], container: [String] = []) {
    self.pod = pod
    self.container = container
  }

  /// A container's own win over its pod's.
  func passed(pod podAnnotations: [String: String], container containerAnnotations: [String: String]) -> [String: String] {
    let ofPod = podAnnotations.filter { entry in pod.contains { Self.matches(entry.key.utf8[...], $0.utf8[...]) } }
    let ofContainer = containerAnnotations.filter { entry in container.contains { Self.matches(entry.key.utf8[...], $0.utf8[...]) } }
    return ofPod.merging(ofContainer) { $1 }
  }

  static func matches(_ text: Substring.UTF8View, _ pattern: Substring.UTF8View) -> Bool {
    guard let first = pattern.first else { return text.isEmpty }
    let rest = pattern.dropFirst()
    if first == UInt8(ascii: "*") {
      var tail = text
      while true {
        if matches(tail, rest) { return true }
        guard let next = tail.popFirst(), next != UInt8(ascii: "/") else { return false }
      }
    }
    guard let next = text.first, next == first || first == UInt8(ascii: "?") && next != UInt8(ascii: "/") else { return false }
    return matches(text.dropFirst(), rest)
  }
}
