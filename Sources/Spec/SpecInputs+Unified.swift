import CRIAPI
import Core
import FoundationEssentials

extension SpecInputs {
  /// The config's limits, and over them the files of cgroup v2 that the pod's annotation names: `memory.high=MTAw;pids.max=max`, values in base64
  /// or as they are.
  func resources() throws(Fault) -> Runtime_V1_LinuxContainerResources {
    var resources = container.linux.resources
    guard let text = experiment(.unifiedCgroup) else { return resources }
    let field = ExperimentalAnnotation.unifiedCgroup.field
    for entry in text.utf8.split(separator: UInt8(ascii: ";")) {
      let end = entry.firstIndex(of: UInt8(ascii: "=")) ?? entry.startIndex
      guard end > entry.startIndex else {
        throw Fault(.invalidArgument, "\(field): \"\(Substring(entry).prefix(100))\" is not FILE=VALUE")
      }
      resources.unified[String(Substring(entry[..<end]))] = Self.plain(String(Substring(entry[end...].dropFirst())))
    }
    try Validation.check(resources, field)
    return resources
  }

  /// Figures and words of such files are never the base64 of a text.
  private static func plain(_ value: String) -> String {
    guard let decoded = Data(base64Encoded: value), decoded.allSatisfy({ (0x20...0x7e).contains($0) || $0 == 0x0a }) else { return value }
    return String(decoding: decoded, as: UTF8.self)
  }
}
