import Core
import Linux
import Support
import Testing

@testable import CNI

struct ConfigurationTests {
  private func list(_ name: String, extra: String = "") -> String {
    #"{"cniVersion":"1.0.0","name":"\#(name)"\#(extra),"plugins":[{"type":"bridge"},{"type":"portmap","capabilities":{"portMappings":true,"mac":false}}]}"#
  }

  private func withFiles(_ files: [String: String], _ body: (ConfigurationDirectory) throws -> Void) throws {
    try withScratch("conf") { directory in
      for (name, text) in files {
        try Files.makeDirectories(Files.parent(of: "\(directory)/\(name)"))
        try Files.write(text, to: "\(directory)/\(name)")
      }
      try body(ConfigurationDirectory(path: directory))
    }
  }

  private func pluginTypes(_ files: [String: String]) throws -> [String] {
    var types: [String] = []
    try withFiles(files) { types = try $0.networks()[0].plugins.map(\.type) }
    return types
  }

  @Test func theFirstValidFileByNameWins() throws {
    try withFiles([
      "20-b.conflist": list("b"), "10-a.conflist": list("a"), "00-readme.txt": "no", "05-broken.conflist": "{",
      "06-none.conf": #"{"name":"x"}"#,
    ]) { directory in
      let contents = directory.read()
      #expect(contents.networks.map(\.name) == ["a"] && contents.files == ["10-a.conflist"])
      #expect(contents.invalid.map(\.file) == ["05-broken.conflist", "06-none.conf"])
      #expect(contents.invalid[0].reason.contains("line 1"))
      #expect(contents.networks.first?.plugins.map(\.type) == ["bridge", "portmap"])
      #expect(contents.networks.first?.plugins[1].capabilities == ["portMappings"])
    }
  }

  @Test func aSinglePluginsConfigurationIsAListOfOne() throws {
    try withFiles(["10.conf": #"{"cniVersion":"0.3.1","name":"one","type":"ptp","mtu":1400}"#]) { directory in
      let network = try directory.networks()[0]
      #expect(network.name == "one" && network.version == CNIVersion(0, 3, 1))
      #expect(network.plugins.map(\.type) == ["ptp"] && network.plugins[0].configuration["mtu"] == 1400)
    }
    #expect(try pluginTypes(["10.json": list("in-json")]) == ["bridge", "portmap"])
  }

  @Test func pluginsInFilesOfTheirOwnComeAfterThoseInTheList() throws {
    let own = ["net/20-y.conf": #"{"type":"y"}"#, "net/10-x.conf": #"{"type":"x"}"#]
    let inlinedOnly = list("net", extra: #","loadOnlyInlinedPlugins":true"#)
    #expect(try pluginTypes(own.merging(["10.conflist": list("net")]) { $1 }) == ["bridge", "portmap", "x", "y"])
    #expect(try pluginTypes(own.merging(["10.conflist": inlinedOnly]) { $1 }) == ["bridge", "portmap"])
    #expect(try pluginTypes(own.merging(["10.conflist": #"{"cniVersion":"1.1.0","name":"net"}"#]) { $1 }) == ["x", "y"])
  }

  @Test func anEmptyOrMissingDirectorySaysSoAndNamesUnusableFiles() throws {
    try withFiles(["10.conflist": #"{"cniVersion":"1.0.0","name":"n","plugins":[]}"#]) { directory in
      let error = #expect(throws: Fault.self) { try directory.networks()[0] }
      #expect(error?.code == .failedPrecondition)
      #expect(error?.message == "no network configuration in \(directory.path) (10.conflist: no plugins)")
    }
    let error = #expect(throws: Fault.self) { try ConfigurationDirectory(path: "/nowhere/net.d").networks() }
    #expect(error?.message == "no network configuration in /nowhere/net.d")
  }

  @Test(arguments: [
    (#""cniVersion":"0.4.0""#, "0.4.0"), (#""cniVersion":"1.0.0","cniVersions":["0.3.1","1.1.0","1.2.0"]"#, "1.1.0"),
    (#""cniVersions":["0.3.0","9.0.0"]"#, "0.3.0"),
  ])
  func theHighestKnownVersionIsSpoken(_ versions: String, _ expected: String) throws {
    let json = try JSON(parsing: Array(#"{\#(versions),"name":"n","plugins":[{"type":"x"}]}"#.utf8))
    #expect(try NetworkList(json).version.description == expected)
  }

  @Test(arguments: [
    (#"{"name":"n","plugins":[{"type":"x"}]}"#, "cniVersion is missing"),
    (#"{"name":"n","cniVersion":"1.2.0","plugins":[{"type":"x"}]}"#, "cniVersion 1.2.0 is not supported"),
    (#"{"name":"n","cniVersion":"0.2.0","plugins":[{"type":"x"}]}"#, "cniVersion 0.2.0 is not supported"),
    (#"{"cniVersion":"1.0.0","plugins":[{"type":"x"}]}"#, "name is missing"),
    (#"{"name":"a/b","cniVersion":"1.0.0","plugins":[{"type":"x"}]}"#, "characters that are not allowed"),
    (#"{"name":"n","cniVersion":"1.0.0","plugins":{}}"#, "plugins is not a list"),
    (#"{"name":"n","cniVersion":"1.0.0","plugins":[{}]}"#, "a plugin without type"),
    (#"{"name":"n","cniVersion":"1.0.0","plugins":[{"type":"../sh"}]}"#, "is a path"),
    (#"{"name":"n","cniVersion":"1.0.0","disableCheck":7,"plugins":[{"type":"x"}]}"#, "disableCheck is neither true nor false"),
    ("[]", "not a JSON object"),
  ])
  func whatCannotBeUsedSaysWhy(_ text: String, _ reason: String) throws {
    let json = try JSON(parsing: Array(text.utf8))
    let error = #expect(throws: NetworkList.Invalid.self) { try NetworkList(json) }
    #expect(error?.reason.contains(reason) == true, "\(error?.reason ?? "")")
  }

  @Test func aListComesBackFromItsOwnJSON() throws {
    let json = try JSON(parsing: Array(list("n", extra: #","disableCheck":"TRUE","disableGC":true"#).utf8))
    let network = try NetworkList(json)
    #expect(network.disableCheck && network.disableGC)
    #expect(try NetworkList(network.json) == network)
  }
}
