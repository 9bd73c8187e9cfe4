import Core
import Linux

/// A network of CNI 1.1.0, which Debian's plugins do not speak yet: a plugin that keeps what it is told and gives every pod an address.
struct RecordingPlugin {
  struct Call {
    let verb: String
    let input: JSON
    let environment: Set<String>
  }

  let directory: String

  /// In `directory`, for a node whose `bin_dirs` names it.
  init(in directory: String) throws {
    self.directory = directory
    for name in ["calls", "failures"] { try Files.makeDirectories("\(directory)/\(name)") }
    try Files.write(Self.script.replacing("@HERE@", with: directory), to: directory + "/recorder", mode: 0o755)
  }

  /// The node's only network from now on.
  func configure(_ node: Node, capabilities: String = "{}") throws {
    let plugin = #"{"type": "recorder", "capabilities": \#(capabilities)}"#
    let list = #"{"cniVersion": "1.1.0", "name": "\#(node.networkName)", "plugins": [\#(plugin)]}"#
    try Files.write(list, to: node.networkConfig + "/10-test.conflist")
  }

  /// The verb fails with this error of the specification until ``heal(_:)``.
  func fail(_ verb: String, code: Int, _ message: String) throws {
    try Files.write(#"{"cniVersion": "1.1.0", "code": \#(code), "msg": "\#(message)"}"#, to: "\(directory)/failures/\(verb)")
  }

  func heal(_ verb: String) throws { try Files.remove("\(directory)/failures/\(verb)") }

  /// In order; only the finished ones.
  func calls(_ verb: String) throws -> [Call] {
    try Files.list(directory + "/calls").filter { $0.hasSuffix("." + verb) }.sorted().map { name in
      let environment = String(decoding: try Files.read("\(directory)/calls/\(name)/environment"), as: UTF8.self)
      return Call(
        verb: verb, input: try JSON(parsing: try Files.read("\(directory)/calls/\(name)/input")),
        environment: Set(environment.split(separator: "\n").map(String.init)))
    }
  }

  private static let script = #"""
    #!/bin/sh
    cd @HERE@
    exec 9>lock
    flock 9
    number=$(( $(cat number 2>/dev/null || echo 10000) + 1 ))
    echo $number >number
    mkdir making.$number
    cat >making.$number/input
    env >making.$number/environment
    mv making.$number calls/$number.$CNI_COMMAND
    if [ -e failures/$CNI_COMMAND ]; then cat failures/$CNI_COMMAND; exit 1; fi
    [ $CNI_COMMAND = ADD ] || exit 0
    echo '{"cniVersion":"1.1.0","interfaces":[{"name":"'$CNI_IFNAME'","sandbox":"'$CNI_NETNS'"}],
      "ips":[{"interface":0,"address":"10.96.'$((number % 250))'.2/24"}]}'
    """#
}
