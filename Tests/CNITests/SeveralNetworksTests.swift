import Core
import Linux
import Support
import Testing

@testable import CNI

struct SeveralNetworksTests {
  private func configure(_ plugins: FakePlugins) throws {
    for (index, name) in ["first", "second", "third"].enumerated() {
      try plugins.configure(
        #"{"cniVersion":"1.1.0","name":"\#(name)","plugins":[{"type":"p\#(index)","capabilities":{"dns":true,"ips":true,"mac":true}}]}"#,
        file: "\(index)0-\(name).conflist")
      try plugins.install("p\(index)")
    }
  }

  @Test func aPodGetsAnInterfaceInEachAndItsAddressesFromTheFirst() async throws {
    try await withScratch("cni") { directory in
      let plugins = try FakePlugins(directory)
      try configure(plugins)
      let network = try plugins.network { ($0.networks, $0.serially) = (2, true) }
      var pod = attachment("abc")
      pod.dns = .init(servers: ["10.0.0.10"], searches: ["svc"], options: ["ndots:5"])
      pod.annotations = ["berth.dev/cni-ips": "10.1.2.3/24, fd00::5/64", "berth.dev/cni-mac": "02:00:00:00:00:07"]
      _ = try await network.attach(pod)
      #expect(plugins.calls == ["p0 ADD", "p1 ADD"])
      #expect(plugins.environment("p0", "ADD").contains("CNI_IFNAME=eth0") && plugins.environment("p1", "ADD").contains("CNI_IFNAME=eth1"))
      let runtime = try #require(try plugins.input("p0", "ADD")["runtimeConfig"])
      #expect(runtime["dns"] == ["servers": ["10.0.0.10"], "searches": ["svc"], "options": ["ndots:5"]])
      #expect(runtime["ips"] == ["10.1.2.3/24", "fd00::5/64"] && runtime["mac"] == "02:00:00:00:00:07")
      try await network.check("abc")
      try await network.collectGarbage()
      let valid = try plugins.input("p1", "GC")["cni.dev/valid-attachments"]
      #expect(valid == [["containerID": "abc", "ifname": "eth1"]])
      await network.close()
      // Another process, with all it knows from its files.
      let again = try plugins.network { $0.networks = 2 }
      try await again.detach("abc", netnsPath: nil)
      #expect(plugins.calls.suffix(2) == ["p1 DEL", "p0 DEL"])
      await again.close()
    }
  }

  @Test func `a network that is named comes first, and nothing without it`() async throws {
    try await withScratch("cni") { directory in
      let plugins = try FakePlugins(directory)
      try configure(plugins)
      let network = try plugins.network { ($0.networks, $0.serially, $0.preferred) = (2, true, "second") }
      _ = try await network.attach(attachment("abc"))
      #expect(plugins.calls == ["p1 ADD", "p0 ADD"])
      await network.close()
      let other = try plugins.network { $0.preferred = "fourth" }
      let fault = await #expect(throws: Fault.self) { try await other.status() }
      #expect(fault?.message.contains("no network is called \"fourth\"") == true, "\(fault.map { "\($0)" } ?? "")")
      await other.close()
    }
  }

  @Test func `a pod may have its networks from another directory, whose garbage is collected, too`() async throws {
    try await withScratch("cni") { directory in
      let plugins = try FakePlugins(directory)
      try configure(plugins)
      let other = directory + "/other"
      try Files.makeDirectories(other)
      for name in ["a", "b"] {
        try Files.write(#"{"cniVersion":"1.1.0","name":"\#(name)","plugins":[{"type":"q\#(name)"}]}"#, to: "\(other)/\(name).conflist")
        try plugins.install("q" + name)
      }
      let network = try plugins.network { ($0.furtherDirectories, $0.serially) = ([other], true) }
      var pod = attachment("abc")
      (pod.configurationDirectory, pod.networks) = (other, 0)
      _ = try await network.attach(pod)
      #expect(plugins.calls == ["qa ADD", "qb ADD"])
      try await network.collectGarbage()
      #expect(plugins.calls.dropFirst(2) == ["p0 GC", "qa GC", "qb GC"])
      try await network.detach("abc", netnsPath: nil)
      #expect(plugins.calls.suffix(2) == ["qb DEL", "qa DEL"])
      pod.configurationDirectory = directory + "/none"
      let fault = await #expect(throws: Fault.self) { try await network.attach(pod) }
      #expect(fault?.message.contains(directory + "/none") == true)
      await network.close()
    }
  }

  @Test func oneThatFailsTakesTheOthersBack() async throws {
    try await withScratch("cni") { directory in
      let plugins = try FakePlugins(directory)
      try configure(plugins)
      try plugins.plan("p2", "ADD", ["fail"])
      let network = try plugins.network { ($0.networks, $0.serially) = (0, true) }
      await #expect(throws: Fault.self) { try await network.attach(attachment("abc")) }
      #expect(plugins.calls == ["p0 ADD", "p1 ADD", "p2 ADD", "p2 DEL", "p1 DEL", "p0 DEL"])
      #expect(try network.attachments().isEmpty && network.pending().isEmpty)
      await network.close()
    }
  }

  @Test func `networks are attached all at once, and one after the other where the node says so`() async throws {
    try await withScratch("cni") { directory in
      let plugins = try FakePlugins(directory)
      try configure(plugins)
      // The first ends when the others have begun.
      try plugins.plan("p0", "ADD", ["awaited"])
      let network = try plugins.network { $0.networks = 0 }
      let attaching = Task { try await network.attach(attachment("abc")) }
      #expect(try await eventually { Set(plugins.calls) == ["p0 ADD", "p1 ADD", "p2 ADD"] })
      try Files.write([], to: directory + "/log/go")
      #expect(try await attaching.value.addresses == ["10.9.0.3"])
      #expect(network.results(of: "abc").map(\.interface).sorted() == ["eth0", "eth1", "eth2"])
      await network.close()
      try await withScratch("cni") { directory in
        let plugins = try FakePlugins(directory)
        try configure(plugins)
        try plugins.plan("p0", "ADD", ["fail"])
        let network = try plugins.network { ($0.networks, $0.serially) = (0, true) }
        await #expect(throws: Fault.self) { try await network.attach(attachment("abc")) }
        #expect(!plugins.calls.contains("p1 ADD") && plugins.calls.first == "p0 ADD")
        await network.close()
      }
    }
  }

  @Test func `where one of several at once fails, none is left, and it is the one that is told`() async throws {
    try await withScratch("cni") { directory in
      let plugins = try FakePlugins(directory)
      try configure(plugins)
      try plugins.plan("p1", "ADD", ["fail"])
      let network = try plugins.network { $0.networks = 0 }
      let fault = await #expect(throws: Fault.self) { try await network.attach(attachment("abc")) }
      #expect(fault?.message.contains("\"p1\"") == true && fault?.message.contains("no such bridge") == true)
      #expect(Set(plugins.calls.prefix(3)) == ["p0 ADD", "p1 ADD", "p2 ADD"])
      #expect(plugins.calls.suffix(3) == ["p2 DEL", "p1 DEL", "p0 DEL"])
      #expect(try network.attachments().isEmpty && network.pending().isEmpty)
      await network.close()
    }
  }

  @Test(arguments: [
    (AddressPreference.ipv4, ["10.0.0.1", "fd00::1"]), (.ipv6, ["fd00::1", "10.0.0.1"]), (.cni, ["fd00::1", "10.0.0.1"]),
  ])
  func theFirstAddressIsOfThePreferredFamily(_ preference: AddressPreference, _ sorted: [String]) {
    #expect(preference.sorted(["fd00::1", "10.0.0.1"]) == sorted)
  }

  @Test func aTemplateBecomesANetworkWhenTheNodesCIDRIsKnown() async throws {
    let text = """
      {"cniVersion": "1.0.0", "name": "t", "plugins": [{"type": "p0", "subnet": "{{.PodCIDR}}",
        "ranges": [{{range $i, $range := .PodCIDRRanges}}{{if $i}}, {{end}}[{"subnet": "{{$range}}"}]{{end}}],
        "routes": [{{- range $i, $route := .Routes -}}{{if $i}},{{else}}{{end}}{"dst": "{{$route}}"}{{- end -}}]}]}
      """
    try await withScratch("cni") { directory in
      let plugins = try FakePlugins(directory)
      try plugins.install("p0")
      try Files.write(text, to: directory + "/template")
      let network = try plugins.network { $0.template = directory + "/template" }
      await #expect(throws: Fault.self) { try await network.status() }
      try await network.configure(podCIDRs: ["10.1.0.0/24", "fd00:1::/64"])
      try await network.status()
      let written = try JSON(parsing: try Files.read(directory + "/conf/10-berth.conflist"))
      let plugin = written["plugins"]?.array?.first
      #expect(plugin?["subnet"] == "10.1.0.0/24")
      #expect(plugin?["ranges"] == [[["subnet": "10.1.0.0/24"]], [["subnet": "fd00:1::/64"]]])
      #expect(plugin?["routes"] == [["dst": "0.0.0.0/0"], ["dst": "::/0"]])
      await network.close()
    }
    #expect(throws: Fault.self) { try ConfigurationTemplate("{{range .X}}").render([]) }
    #expect(throws: Fault.self) { try ConfigurationTemplate("{{.Nope}}").render([]) }
  }
}
