import CRIAPI
import Core
import Linux
import OCI
import Spec
import Support
import SwiftProtobuf
import Testing

struct CDITests {
  private func nic(_ extra: String = "", version: String = "0.7.0") -> String {
    """
    {"cdiVersion": "\(version)", "kind": "vendor.com/nic",
     "containerEdits": {"env": ["COMMON=1"]},
     "devices": [
      {"name": "a", "containerEdits": {"env": ["WHO=a"], "deviceNodes": [{"path": "/dev/nic-a", "hostPath": "/dev/null", "permissions": "rw"}],
       "mounts": [{"hostPath": "/opt/nic", "containerPath": "/opt/nic", "options": ["ro", "nosuid"]}],
       "hooks": [{"hookName": "createContainer", "path": "/usr/bin/nic-hook", "args": ["nic-hook", "a"]}],
       "additionalGids": [4711]\(extra)}},
      {"name": "b", "containerEdits": {"deviceNodes": [{"path": "/dev/nic-b", "type": "c", "major": 240, "minor": 7}]}}]}
    """
  }

  /// Builds a spec on a node whose /etc/cdi and /var/run/cdi hold these files.
  private func build(_ files: [String: String], _ change: @escaping (inout SpecInputs) -> Void) async throws -> Result<RuntimeSpec, Fault> {
    var result: Result<RuntimeSpec, Fault>?
    try await withScratch("cdi") { scratch async throws in
      for directory in ["etc", "run"] { try Files.makeDirectories("\(scratch)/\(directory)") }
      for (name, text) in files { try Files.write(text, to: "\(scratch)/\(name)") }
      let inputs = SpecFixture.inputs {
        $0.node.cdiDirectories = ["\(scratch)/etc", "\(scratch)/run"]
        $0.lookups.devices = { [DeviceNode(path: $0, kind: .character, major: 1, minor: 3)] }
        change(&$0)
      }
      do throws(Fault) { result = .success(try makeSpec(inputs).spec) } catch { result = .failure(error) }
    }
    return try #require(result)
  }

  private func message(_ result: Result<RuntimeSpec, Fault>) -> String {
    switch result {
    case .success: "no fault"
    case .failure(let fault): "\(fault.code): \(fault.message)"
    }
  }

  private func ask(_ names: String...) -> (inout SpecInputs) -> Void {
    { inputs in inputs.container.cdiDevices = names.map { name in .with { $0.name = name } } }
  }

  @Test func `a device's edits and those of its file reach the spec`() async throws {
    let spec = try await build(["etc/nic.json": nic()]) {
      ask("vendor.com/nic=a")(&$0)
      $0.container.annotations = ["cdi.k8s.io/plugin": "vendor.com/nic=b,vendor.com/nic=a"]
    }.get()
    #expect(spec.process.env.contains("COMMON=1") && spec.process.env.contains("WHO=a"))
    let devices = spec.linux.devices ?? []
    #expect(devices.map(\.path) == ["/dev/nic-a", "/dev/nic-b"])
    #expect(devices[0].major == 1 && devices[0].minor == 3 && devices[1].major == 240)
    #expect(spec.linux.resources?.devices?.contains { $0.major == 1 && $0.minor == 3 && $0.access == "rw" } == true)
    #expect(spec.mounts.last == RuntimeSpec.Mount("/opt/nic", type: "bind", source: "/opt/nic", options: ["rbind", "ro", "nosuid"]))
    #expect(spec.hooks?.createContainer == [RuntimeSpec.Hook(path: "/usr/bin/nic-hook", args: ["nic-hook", "a"])])
    #expect(spec.process.user.additionalGids?.contains(4711) == true)
  }

  @Test func `a later directory wins, two files of one directory conflict`() async throws {
    let other = nic().replacing("WHO=a", with: "WHO=other")
    let spec = try await build(["etc/nic.json": nic(), "run/nic.json": other], ask("vendor.com/nic=a")).get()
    #expect(spec.process.env.contains("WHO=other") && !spec.process.env.contains("WHO=a"))
    let conflict = message(try await build(["etc/nic.json": nic(), "etc/twin.json": other], ask("vendor.com/nic=a")))
    #expect(conflict.contains("failedPrecondition: CDI device vendor.com/nic=a") && conflict.contains("twin.json"))
  }

  @Test func `broken specs are an error for those who need them only`() async throws {
    let files = [
      "etc/nic.json": nic(), "etc/broken.json": "{\"cdiVersion\"", "etc/new.json": nic(version: "9.9.9"), "run/x.yaml": "kind: a/b",
      "run/y.yml": "",
    ]
    _ = try await build(files, ask("vendor.com/nic=a")).get()
    let missing = message(try await build(files, ask("vendor.com/gpu=0")))
    for word in ["vendor.com/gpu=0", "broken.json", "new.json", "9.9.9", "x.yaml: CDI spec: line 1: cdiVersion is missing", "y.yml"] {
      #expect(missing.contains(word), "\(missing)")
    }
    #expect(message(try await build([:], ask("vendor.com/gpu"))).hasPrefix("invalidArgument: CDI_devices[0].name: \"vendor.com/gpu\""))
    let annotated = try await build([:]) { $0.container.annotations = ["cdi.k8s.io/x": "a,b"] }
    #expect(message(annotated).hasPrefix("invalidArgument: annotations[\"cdi.k8s.io/x\"]: \"a\""))
  }

  private let yaml = """
    cdiVersion: "1.1.0"
    kind: vendor.com/nic
    annotations: {owner: vendor}
    containerEdits:
      env: [COMMON=1]
    devices:
    # the only one
    - name: "0"
      containerEdits:
        env: ["WHO=0"]
        deviceNodes:
        - {path: /dev/nic, hostPath: /dev/null, type: c, major: 0xf0, minor: 7, fileMode: 0640, uid: 12, gid: 13, permissions: none}
        - {path: /dev/pipe, type: p}
        mounts:
        - hostPath: tmpfs
          containerPath: /scratch
          type: tmpfs
          options: [nosuid]
        hooks:
        - {hookName: poststop, path: /usr/bin/bye, args: [bye], env: [A=b], timeout: 5}
        additionalGids: [0, 7]
    """

  @Test func `a spec in YAML is one in JSON, with every kind of edit`() async throws {
    let spec = try await build(["etc/nic.yaml": yaml], ask("vendor.com/nic=0")).get()
    #expect(spec.process.env.contains("COMMON=1") && spec.process.env.contains("WHO=0"))
    let nodes = [
      RuntimeSpec.Device(path: "/dev/nic", type: "c", major: 240, minor: 7, fileMode: 0o640, uid: 12, gid: 13),
      RuntimeSpec.Device(path: "/dev/pipe", type: "p", major: 0, minor: 0),
    ]
    #expect(spec.linux.devices == nodes)
    #expect(spec.linux.resources?.devices?.contains { $0.major == 240 } == false)
    #expect(spec.mounts.contains(RuntimeSpec.Mount("/scratch", type: "tmpfs", source: "tmpfs", options: ["nosuid"])))
    #expect(spec.hooks?.poststop == [RuntimeSpec.Hook(path: "/usr/bin/bye", args: ["bye"], env: ["A=b"], timeout: 5)])
    #expect(spec.process.user.additionalGids?.filter { $0 == 7 }.count == 1)
  }

  @Test(arguments: [
    ("- name: \"0\"", "- nam: \"0\"", "line 8: devices[0].name is missing"),
    (
      "hostPath: /dev/null", "hostPat: /dev/null",
      "line 12: devices[0].containerEdits.deviceNodes[0].hostPat is a field that CDI does not have"
    ),
    ("major: 0xf0", "major: many", "line 12: devices[0].containerEdits.deviceNodes[0].major is no whole number"),
    ("gid: 13", "gid: -1", "gid is no whole number, or too large"),
    ("env: [COMMON=1]", "env: COMMON", "line 5: containerEdits.env is no list"),
    ("permissions: none", "permissions: x", "neither letters of rwm nor none"), ("type: c", "type: d", "type \"d\" is not known"),
    ("poststop", "later", "hook \"later\""), ("path: /usr/bin/bye", "path: bye", "its path not absolute"), ("A=b", "A", "NAME=value"),
    ("1.1.0", "0.6.0", "additionalGids came with 0.7.0"), ("\"1.1.0\"", "0.7", "\"0.7\" is not known"),
    ("kind: vendor.com/nic", "kind: nic", "vendor/class"),
    ("- name: \"0\"", "- name: \"0\"\n  annotations: [x]", "devices[0].annotations is no table"),
    ("devices:", "device:", "device is a field"),
    ("additionalGids: [0, 7]", "additionalGids: [0, 7]\n- name: \"1\"\n  containerEdits: {}", "\"1\" has no containerEdits"),
    ("additionalGids: [0, 7]", "additionalGids: [0, 7", "line 2"), ("additionalGids: [0, 7]", "intelRdt: {closID: a/b}", "closID"),
    ("additionalGids: [0, 7]", "netDevices: [{hostInterfaceName: a, name: b}, {hostInterfaceName: c, name: b}]", "there twice"),
  ])
  func `what is wrong with a file is told to who asks for its devices`(_ text: String, _ other: String, _ words: String) async throws {
    #expect(yaml.contains(text))
    let told = message(try await build(["etc/nic.yaml": yaml.replacing(text, with: other)], ask("vendor.com/nic=0")))
    #expect(told.hasPrefix("failedPrecondition: CDI device vendor.com/nic=0: no spec") && told.contains("etc/nic.yaml: "), "\(told)")
    #expect(told.contains(words), "\(told)")
  }

  @Test func `what node or runtime cannot do is an error that names file, device and field, and is done where they can`() async throws {
    let file = [
      "etc/nic.yaml": yaml.replacing(
        "additionalGids: [0, 7]",
        with:
          "netDevices: [{hostInterfaceName: ens5, name: net1}]\n    intelRdt: {closID: gold, schemata: [\"L3:0=f\"], enableMonitoring: true}"
      )
    ]
    let (all, device) = (["failedPrecondition: CDI device vendor.com/nic=0 (", "etc/nic.yaml): "], ask("vendor.com/nic=0"))
    let noMoving = message(try await build(file, device))
    for word in all + ["netDevices: ens5: this OCI runtime"] { #expect(noMoving.contains(word), "\(noMoving)") }
    let noControl = message(
      try await build(file) {
        device(&$0)
        $0.node.hasNetDevices = true
      })
    for word in all + ["intelRdt: this node has no resctrl"] { #expect(noControl.contains(word), "\(noControl)") }
    let onHost = message(
      try await build(file) {
        device(&$0)
        $0.node.hasNetDevices = true
        $0.pod.networkNamespace = nil
      })
    #expect(onHost.contains("netDevices: ens5: the pod is on the host's network"), "\(onHost)")
    let spec = try await build(file) {
      device(&$0)
      ($0.node.hasNetDevices, $0.node.hasResourceControl, $0.node.hasRDTSchemata) = (true, true, true)
    }.get()
    #expect(spec.linux.netDevices == ["ens5": RuntimeSpec.NetDevice(name: "net1")])
    #expect(
      spec.linux.intelRdt?.closID == "gold" && spec.linux.intelRdt?.schemata == ["L3:0=f"] && spec.linux.intelRdt?.enableMonitoring == true)
  }
}
