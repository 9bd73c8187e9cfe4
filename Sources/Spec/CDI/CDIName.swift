package import CRIAPI
import Core

/// A CDI device's full name, `vendor.com/class=name` (CDI specification, "Kind" and "Device names").
struct CDIName: Hashable, CustomStringConvertible {
  let kind: String
  let device: String

  var description: String { "\(kind)=\(device)" }

  init(_ text: String, _ field: String) throws(Fault) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, CDIName.isKind(parts[0]), CDIName.isDevice(parts[1]) else {
      throw Fault(.invalidArgument, "\(field): \"\(text.prefix(200))\" is not of the form vendor/class=device")
    }
    kind = parts[0]
    device = parts[1]
  }

  static func isKind(_ text: String) -> Bool {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    return parts.count == 2
      && parts.allSatisfy { part in
        isName(part, "_-.") && part.utf8.first.map(isLetter) == true
      }
  }

  static func isDevice(_ text: String) -> Bool { isName(text[...], "_-.:") }

  /// Letters, digits and `more` between a letter or digit at each end.
  private static func isName(_ text: Substring, _ more: String) -> Bool {
    guard let first = text.utf8.first, let last = text.utf8.last, isAlphanumeric(first), isAlphanumeric(last) else { return false }
    return text.utf8.allSatisfy { isAlphanumeric($0) || more.utf8.contains($0) }
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool { isLetter(byte) || (0x30...0x39).contains(byte) }
  private static func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) }
}

extension SpecInputs {
  /// What the field and the annotations `cdi.k8s.io/…` ask for, each once, in order.
  func cdiNames() throws(Fault) -> [CDIName] {
    var names: [CDIName] = []
    for (index, device) in container.cdiDevices.enumerated() { names.append(try CDIName(device.name, "CDI_devices[\(index)].name")) }
    for key in container.annotations.keys.sorted() where key.hasPrefix("cdi.k8s.io/") {
      for word in (container.annotations[key] ?? "").split(separator: ",", omittingEmptySubsequences: false) {
        names.append(try CDIName(String(word), "annotations[\"\(key.prefix(100))\"]"))
      }
    }
    return names.enumerated().filter { index, name in !names[..<index].contains(name) }.map(\.element)
  }
}

extension Runtime_V1_ContainerConfig {
  /// By field or annotation.
  package var asksForCDI: Bool { !cdiDevices.isEmpty || annotations.keys.contains { $0.hasPrefix("cdi.k8s.io/") } }
}
