import Core
import Linux
import Logging
import Support

@testable import CNI

let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// A directory of configurations and one of plugin scripts that note their calls and behave as planned.
struct FakePlugins {
  let directory: String

  init(_ directory: String) throws {
    self.directory = directory
    for name in ["conf", "bin", "log", "root"] { try Files.makeDirectories("\(directory)/\(name)") }
  }

  var settings: CNINetwork.Settings {
    var settings = CNINetwork.Settings()
    settings.configurationDirectory = directory + "/conf"
    settings.pluginDirectories = [directory + "/none", directory + "/bin"]
    settings.root = directory + "/root"
    settings.retryDelay = .milliseconds(10)
    return settings
  }

  func network(_ change: (inout CNINetwork.Settings) -> Void = { _ in }) throws -> CNINetwork {
    var settings = settings
    change(&settings)
    return try CNINetwork(settings, logger: silent)
  }

  func configure(_ text: String, file: String = "10-test.conflist") throws { try Files.write(text, to: "\(directory)/conf/\(file)") }

  /// A list with these plugins, in version 1.0.0 if none is given.
  func configure(plugins: [String], version: String = "1.0.0", capabilities: String = "{}") throws {
    let list = plugins.map { #"{"type":"\#($0)","capabilities":\#(capabilities),"kept":1.50}"# }.joined(separator: ",")
    try configure(#"{"cniVersion":"\#(version)","name":"testnet","plugins":[\#(list)]}"#)
    for plugin in plugins { try install(plugin) }
  }

  /// A plugin that does for its nth call of a verb what line n of its plan says: `ok` by default.
  func install(_ name: String) throws {
    try Files.write(
      Self.script.replacing("@LOG@", with: "\(directory)/log").replacing("@NAME@", with: name), to: "\(directory)/bin/\(name)", mode: 0o755)
  }

  /// `ok`, `fail`, `stderr`, `rubbish`, `empty`, `list`, `hang`, `held` (while there is a file `log/hold`), `awaited` (until there is a file `log/go`), `killed`, one for each call.
  func plan(_ plugin: String, _ verb: String, _ behaviours: [String]) throws {
    try Files.write(behaviours.map { $0 + "\n" }.joined(), to: "\(directory)/log/\(plugin).\(verb).plan")
  }

  /// `plugin VERB` of all calls, in order.
  var calls: [String] { lines("calls") }

  /// The standard input of a plugin's nth call of a verb, from 1.
  func input(_ plugin: String, _ verb: String, _ number: Int = 1) throws -> JSON {
    try JSON(parsing: try Files.read("\(directory)/log/\(plugin).\(verb).\(number).input"))
  }

  func environment(_ plugin: String, _ verb: String, _ number: Int = 1) -> [String] { lines("\(plugin).\(verb).\(number).environment") }

  private func lines(_ name: String) -> [String] {
    guard let bytes = try? Files.read("\(directory)/log/\(name)") else { return [] }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  private static let script = #"""
    #!/bin/sh
    exec 9>@LOG@/lock
    flock 9
    here=@LOG@/@NAME@.$CNI_COMMAND
    number=$(( $(cat $here.count 2>/dev/null || echo 0) + 1 ))
    echo $number > $here.count
    echo "@NAME@ $CNI_COMMAND" >> @LOG@/calls
    cat > $here.$number.input
    env | sort > $here.$number.environment
    mode=$(sed -n ${number}p $here.plan 2>/dev/null)
    exec 9>&-
    [ "$mode" != awaited ] || { while [ ! -e @LOG@/go ]; do sleep 0.01; done; mode=ok; }
    case ${mode:-ok} in
      ok) [ $CNI_COMMAND != ADD ] || printf '{"cniVersion":"1.0.0","interfaces":[{"name":"eth0","sandbox":"%s"}],"ips":[{"address":"10.9.%d.%d/16","interface":0}]}' "$CNI_NETNS" $((number / 200)) $((number % 200 + 2)) ;;
      fail) echo '{"cniVersion":"1.0.0","code":100,"msg":"no such bridge","details":"br0 is gone"}'; exit 1 ;;
      again) echo '{"cniVersion":"1.0.0","code":11,"msg":"busy"}'; exit 1 ;;
      stderr) echo "cannot open shared object" >&2; exit 127 ;;
      rubbish) echo "hello, I am a plugin" ;;
      empty) ;;
      list) echo '[]' ;;
      hang) sleep 1000 & wait ;;
      held) while [ -e @LOG@/hold ]; do sleep 0.01; done ;;
      killed) kill -9 $$ ;;
    esac
    """#
}

func attachment(_ id: String = Identifier.random(), netns: String = "/proc/self/ns/net") -> NetworkAttachment {
  NetworkAttachment(sandboxID: id, netnsPath: netns, podName: "web", podNamespace: "shop", podUID: "u-1")
}

/// Waits for something the background does. False after ten seconds.
func eventually(_ condition: () -> Bool) async throws -> Bool {
  for _ in 0..<1000 {
    if condition() { return true }
    try await Task.sleep(for: .milliseconds(10))
  }
  return false
}
