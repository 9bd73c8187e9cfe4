import Core
import Linux
import Support
import Testing

@testable import Settings

/// `runtime_type` and what goes with it.
@Suite struct RuntimeKindTests {
  private func load(_ text: String) throws -> Configuration.Runtime? {
    try withScratch { scratch in
      try Files.write("[runtimes.x]\n" + text, to: "\(scratch)/config.toml")
      return try Configuration.load("\(scratch)/config.toml").runtimes.handlers["x"]
    }
  }

  private func complaint(_ text: String) -> String {
    do {
      _ = try load(text)
      return "nothing"
    } catch { return "\(error)" }
  }

  @Test func theWordsOfBothPeersAreKnown() throws {
    for word in ["", "oci", "pod"] {
      let runtime = try load("runtime_type = \"\(word)\"")
      #expect(runtime?.kind == .oci && runtime?.isMachine == false)
    }
    let machine = try load("runtime_type = \"vm\"\npath = \"/opt/containerd-shim-kata-v2\"")
    #expect(machine?.kind == .machine && machine?.isMachine == true && machine?.kind.isForeign == true)
    let named = try load("runtime_type = \"io.containerd.runsc.v1\"")
    #expect(named?.kind.program == "containerd-shim-runsc-v1" && named?.isMachine == false)
    #expect(try load("runtime_type = \"io.containerd.run.kata.v2\"")?.kind.program == "containerd-shim-kata-v2")
    #expect(try load("runtime_type = \"io.containerd.kata-qemu.v2\"")?.isMachine == true)
    #expect(try load("runtime_type = \"io.containerd.kata.v2\"\nis_vm = false")?.isMachine == false)
  }

  @Test func whatIsNoneIsRefusedWithWhatThereIs() {
    for word in ["kata", "io..v2", "io.containerd.a/b.v2", "io.containerd.kata.v2 ", "OCI"] {
      let said = complaint("\nruntime_type = \"\(word)\"")
      #expect(said.contains(":3: \"runtimes.x.runtime_type\" must be \"oci\", \"vm\""), "\(said)")
      #expect(said.hasSuffix("found \"\(word)\""), "\(said)")
    }
  }

  @Test func whatCannotBeTogetherIsRefusedWithWhatToDo() {
    #expect(complaint("runtime_type = \"vm\"").contains(":2: \"runtimes.x.runtime_type\" \"vm\" needs path: the shim's program"))
    let kata = "runtime_type = \"io.containerd.kata.v2\"\n"
    for (more, key) in [
      ("inherit_default_runtime = true", "inherit_default_runtime"), ("infra_container = false", "infra_container"),
      ("no_pivot_root = true", "no_pivot_root"), ("no_new_keyring = true", "no_new_keyring"),
      ("platform_runtime_paths = { \"linux/arm64\" = \"/q\" }", "platform_runtime_paths"),
    ] {
      let said = complaint(kata + more)
      #expect(said.contains(":3: \"runtimes.x.\(key)\" cannot be beside runtime_type: "), "\(said)")
    }
    for key in ["runtime_config_path = \"/a\"", "runtime_options_type = \"a.B\"", "runtime_pull_image = true"] {
      #expect(complaint(key).contains("is for another's shim: set runtime_type to \"vm\" or to its name"), "\(complaint(key))")
    }
    #expect(complaint(kata + "runtime_config_path = \"a\"").contains("must be an absolute path"))
  }

  @Test func streamsComeByFIFOsOrByTheShimsService() throws {
    let kata = "runtime_type = \"io.containerd.kata.v2\"\n"
    #expect(try load(kata)?.streamType == .fifo)
    #expect(try load(kata + "io_type = \"streaming\"")?.streamType == .streaming)
    #expect(try load("io_type = \"fifo\"")?.streamType == .fifo)
    #expect(complaint(kata + "io_type = \"grpc\"").contains(":3: \"runtimes.x.io_type\" must be \"fifo\" or \"streaming\", found \"grpc\""))
    #expect(complaint("io_type = \"streaming\"").contains("\"streaming\" is for another's shim: set runtime_type"))
  }

  @Test func optionsOfRuncsCreateAreForShimsThatTakeThem() throws {
    for key in ["no_pivot_root", "no_new_keyring"] {
      for taker in [
        "runtime_type = \"io.containerd.runc.v2\"",
        "runtime_type = \"vm\"\npath = \"/opt/shim\"\nruntime_options_type = \"containerd.runc.v1.Options\"",
      ] {
        let runtime = try load("\(taker)\n\(key) = true")
        #expect(runtime?.optionsType == "containerd.runc.v1.Options")
        #expect(runtime?.avoidsPivot == (key == "no_pivot_root") && runtime?.sharesKeyring == (key == "no_new_keyring"))
      }
      let other = "runtime_type = \"io.containerd.runc.v2\"\nruntime_options_type = \"runtimeoptions.v1.Options\"\n\(key) = true"
      #expect(complaint(other).contains(":4: \"runtimes.x.\(key)\" cannot be beside runtime_type: set it in the shim's own"))
    }
  }

  @Test func aShimIsLookedForByItsProgramsName() throws {
    var runtimes = Configuration().runtimes
    var handler = Configuration.Runtime()
    handler.kind = .named("io.containerd.no-such.v2")
    runtimes.handlers["x"] = handler
    let fault = #expect(throws: Fault.self) { try runtimes.executable(of: "x") }
    #expect(fault?.message.contains("no program \"containerd-shim-no-such-v2\" in") == true, "\(fault?.message ?? "")")
  }

  @Test func whatComesWithTheShimIsBesideIt() throws {
    try withScratch { scratch in
      try Files.write("", to: "\(scratch)/berth-new", mode: 0o755)
      #expect(try Configuration.Shim.companion("berth-new", of: "\(scratch)/berth-shim") == "\(scratch)/berth-new")
      let fault = #expect(throws: Fault.self) { try Configuration.Shim.companion("berth-none", of: "\(scratch)/berth-shim") }
      #expect(fault?.message.contains("it belongs beside berth-shim") == true)
    }
  }
}
