import CRIAPI
import Core
import OCI

/// An ordered environment: setting a name again keeps its place.
package struct Environment: Hashable, Sendable {
  package static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

  /// `NAME=value`.
  package private(set) var entries: [String] = []
  private var places: [Substring: Int] = [:]

  package init(_ entries: [String] = []) { for entry in entries { set(entry) } }

  /// A word without `=` takes the name out again, as in docker's environment files.
  package mutating func set(_ entry: String) {
    // By bytes: "=" and a combining mark behind it are one Character.
    guard let end = entry.utf8.firstIndex(of: UInt8(ascii: "=")) else { return remove(entry[...]) }
    let name = entry[..<end]
    if let place = places[name] {
      entries[place] = entry
    } else {
      places[name] = entries.count
      entries.append(entry)
    }
  }

  package func has(_ name: String) -> Bool { places[name[...]] != nil }

  private mutating func remove(_ name: Substring) {
    guard let place = places.removeValue(forKey: name) else { return }
    entries.remove(at: place)
    for (other, index) in places where index > place { places[other] = index - 1 }
  }
}

extension Environment {
  /// PATH, TERM for a terminal and HOSTNAME first, so that the image can change them, and the CRI what the image says.
  init(_ inputs: SpecInputs) throws(Fault) {
    self.init(["PATH=" + Environment.defaultPath])
    if inputs.container.tty { set("TERM=xterm") }
    let hostname = inputs.sandbox.hostname.isEmpty || inputs.pod.utsNamespace == nil ? inputs.node.hostname : inputs.sandbox.hostname
    set("HOSTNAME=" + hostname)
    if inputs.runsInit { set("container=oci") }
    for entry in inputs.node.defaults.environment { set(entry) }
    for entry in inputs.image.config.env { set(entry) }
    for (index, entry) in inputs.container.envs.enumerated() {
      guard let value = String(validating: entry.value, as: UTF8.self) else {
        throw Fault(.invalidArgument, "envs[\(index)].value: the value of \(entry.key.prefix(100)) is not UTF-8")
      }
      set("\(entry.key)=\(value)")
    }
    if let processes = inputs.goProcesses, !has("GOMAXPROCS") { set("GOMAXPROCS=\(processes)") }
  }
}
