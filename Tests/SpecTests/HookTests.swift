import CRIAPI
import Core
import Linux
import OCI
import Spec
import Support
import Testing

/// `hooks_dir`: which programs get into which specs, and what is said of files that cannot be used.
struct HookTests {
  private func file(_ when: String, _ more: String = "") -> String {
    #"{"version": "1.0.0", "hook": {"path": "/bin/true", "args": ["true", "\#(more)"]}, "when": \#(when), "stages": ["createRuntime", "poststop"]}"#
  }

  /// Each file's text by its path below the directory; hooks are looked for in `a`, then in `b`.
  private func build(_ files: [String: String], _ change: (inout SpecInputs) -> Void = { _ in }) throws -> RuntimeSpec.Hooks? {
    try withScratch("hooks") { scratch in
      for directory in ["a", "b"] { try Files.makeDirectories("\(scratch)/\(directory)") }
      for (name, text) in files { try Files.write(text, to: "\(scratch)/\(name)") }
      return try SpecFixture.build {
        $0.node.hookDirectories = ["a", "b", "missing"].map { "\(scratch)/\($0)" }
        change(&$0)
      }.hooks
    }
  }

  private func runs(_ when: String, _ change: (inout SpecInputs) -> Void = { _ in }) throws -> Bool {
    let hooks = try build(["a/x.json": file(when)], change)
    #expect(hooks?.createRuntime?.count == hooks?.poststop?.count)
    return hooks != nil
  }

  @Test func `a hook runs where all of its conditions hold`() throws {
    #expect(try runs(#"{"always": true}"#))
    #expect(try !runs(#"{"always": false}"#))
    #expect(try !runs("{}"))
    #expect(try runs(#"{"commands": ["^/bin/s", "nothing"]}"#))
    #expect(try !runs(#"{"commands": ["^/s?bin/bash$"]}"#))
    #expect(try !runs(#"{"hasBindMounts": true}"#))
    #expect(try runs(#"{"hasBindMounts": true}"#) { $0.mount("/srv", "/srv") })
    #expect(try !runs(#"{"always": true, "commands": ["^no"]}"#))
    let annotated = #"{"annotations": {"^com\\.example\\.": "^(yes|\\d+)$"}}"#
    #expect(try !runs(annotated))
    #expect(try runs(annotated) { $0.sandbox.annotations = ["com.example.a": "no", "com.example.b": "42"] })
    #expect(try runs(annotated) { $0.container.annotations = ["com.example.a": "yes"] })
    #expect(
      try !runs(annotated) {
        $0.sandbox.annotations = ["com.example.a": "yes"]
        $0.container.annotations = ["com.example.a": "no"]
      })
    #expect(try !runs(#"{"annotations": {"^io.kubernetes.cri.container-type$": "."}}"#))
  }

  @Test func `hooks come in the order of their files' names, and later directories win`() throws {
    let always = #"{"always": true}"#
    let hooks = try build([
      "a/20-b.json": file(always, "2"), "a/10-a.json": file(always, "old"), "b/10-a.json": file(always, "1"),
      "b/30-C.json": file(always, "3"),
      "a/not-a-hook.txt": "x", "a/.hidden.json": "x",
    ])
    #expect(hooks?.createRuntime?.map { $0.args?.last } == ["1", "2", "3"])
    #expect(hooks?.poststop?.count == 3 && hooks?.prestart == nil && hooks?.startContainer == nil)
  }

  @Test func `files of version 0.1.0, or without one, hold where any of their conditions does`() throws {
    func former(_ more: String, _ change: (inout SpecInputs) -> Void = { _ in }) throws -> RuntimeSpec.Hooks? {
      try build(["a/x.json": #"{"hook": "/bin/true", "stages": ["prestart"], \#(more)}"#], change)
    }
    #expect(try former(#""version": "0.1.0", "cmds": ["^/bin/sh$"]"#)?.prestart?.first == RuntimeSpec.Hook(path: "/bin/true"))
    #expect(try former(#""cmd": ["sh"], "arguments": ["-x"]"#)?.prestart?.first?.args == ["/bin/true", "-x"])
    #expect(try former(#""cmds": ["^none"], "annotations": ["^yes$", "^ja$"]"#) { $0.sandbox.annotations = ["any": "ja"] } != nil)
    #expect(try former(#""cmds": ["^none"], "annotation": ["^yes$"]"#) { $0.sandbox.annotations = ["any": "no"] } == nil)
    #expect(try former(#""cmds": ["^none"], "hasbindmounts": true"#) { $0.mount("/srv", "/srv") } != nil)
    #expect(try former(#""hasbindmounts": false"#) == nil)
    #expect(try build(["a/x.json": #"{"hook": "/bin/true", "stage": ["poststop"], "cmd": ["sh"]}"#])?.poststop?.count == 1)
  }

  @Test func `hooks of a base spec and of CDI come first`() throws {
    let base = try BaseSpec.parse(Array(#"{"hooks": {"poststop": [{"path": "/bin/base"}]}}"#.utf8))
    let hooks = try build(["a/x.json": file(#"{"always": true}"#)]) { $0.handler.base = base }
    #expect(hooks?.poststop?.map(\.path) == ["/bin/base", "/bin/true"])
  }

  @Test(arguments: [
    ("nonsense", "not valid JSON"), ("{}", "hook is missing"), (#"{"version": "2.0.0"}"#, "version: \"2.0.0\""),
    (#"{"version": "0.1.0", "hook": "/bin/true"}"#, "stages is missing"),
    (#"{"hook": "/bin/true", "stages": [], "stage": []}"#, "stage and stages"),
    (#"{"hook": "/bin/true", "stages": [], "cmd": [], "cmds": []}"#, "cmd and cmds"),
    (#"{"hook": "true", "stages": []}"#, "hook.path: \"true\""),
    (#"{"hook": "/bin/true", "stage": [], "cmd": ["("]}"#, "when.commands: \"(\""),
    (#"{"version": "1.0.0", "hook": {"path": "/bin/true"}, "when": {}}"#, "stages is missing"),
    (#"{"version": "1.0.0", "hook": {"path": "bin/true"}, "when": {}, "stages": []}"#, "hook.path: \"bin/true\""),
    (#"{"version": "1.0.0", "hook": {"path": "/no/such"}, "when": {}, "stages": []}"#, "hook.path: /no/such"),
    (#"{"version": "1.0.0", "hook": {"path": "/bin/true", "timeout": 0}, "when": {}, "stages": []}"#, "hook.timeout"),
    (#"{"version": "1.0.0", "hook": {"path": "/bin/true"}, "when": {}, "stages": ["later"]}"#, "stages: \"later\""),
    (#"{"version": "1.0.0", "hook": {"path": "/bin/true"}, "when": {"commands": ["("]}, "stages": []}"#, "when.commands: \"(\""),
    (#"{"version": "1.0.0", "hook": {"path": "/bin/true"}, "when": {"annotations": {"a": "["}}, "stages": []}"#, "when.annotations: \"[\""),
    (#"{"version": "1.0.0", "hook": {"path": "/bin/true"}, "when": {"always": "yes"}, "stages": []}"#, "when.always"),
  ])
  func `a file that cannot be used fails the container, and file and field are named`(_ text: String, _ words: String) throws {
    let fault = #expect(throws: Fault.self) { try build(["b/broken.json": text]) }
    #expect(fault?.code == .failedPrecondition)
    #expect(fault?.message.contains("/b/broken.json: ") == true && fault?.message.contains(words) == true, "\(fault?.message ?? "")")
  }
}
