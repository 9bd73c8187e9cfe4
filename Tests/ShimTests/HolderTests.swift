import Linux
import ShimAPI
import SwiftProtobuf
import Testing

/// The holder of the pod's namespaces, and what is set up in them.
@Suite(.serialized) struct HolderTests {
  @Test func theHolderCanDoNothingAndShowsNothing() async throws {
    try await TestPod.withBareShim { pod in
      let holder = try await pod.setUp()
      let status = String(decoding: try Files.read("/proc/\(holder)/status"), as: UTF8.self)
      for line in [
        "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2", "Uid:\t4294967278", "Gid:\t4294967278",
      ] {
        #expect(status.contains("\n" + line), "\(line)")
      }
      let groups = status.split(separator: "\n").first { $0.hasPrefix("Groups:") } ?? ""
      #expect(groups.dropFirst("Groups:".count).allSatisfy { $0 == "\t" || $0 == " " }, "\(groups)")
      #expect(try Files.list("/proc/\(holder)/root").isEmpty)
      // It is ready a moment before it has closed the pipe that it says so on.
      try await pod.eventually("no descriptor") { try Files.list("/proc/\(holder)/fd").isEmpty }
      let mounts = try MountInfo.read("/proc/\(holder)/mountinfo")
      #expect(mounts.count == 1 && mounts[0].options.contains("ro") && mounts[0].type == "tmpfs")
      #expect(try await TestPod.shell("readlink /proc/\(holder)/exe").hasPrefix("/memfd:berth-holder"))
    }
  }

  @Test func hostnameLoopbackAndSysctlsAreThePods() async throws {
    try await TestPod.with {
      $0.sysctls = [
        .with {
          $0.name = "net.ipv4.ip_unprivileged_port_start"
          $0.value = "80"
        },
        .with {
          $0.name = "kernel/shm_rmid_forced"
          $0.value = "1"
        },
      ]
    } _: { pod in
      let script = "hostname; cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/shm_rmid_forced; ip addr show lo"
      let (id, _) = try await pod.run(.shell(script))
      let said = try pod.said(id)
      #expect(said.hasPrefix("testpod\n80\n1\n"))
      #expect(said.contains("127.0.0.1/8") && said.contains("<LOOPBACK,UP"))
      try await pod.delete(id)
    }
  }

  @Test func aSysctlThatFailsIsNamedAndSetupMayBeTriedAgain() async throws {
    try await TestPod.withBareShim { pod in
      let message = await pod.expect(code: 3) {
        try await pod.setUp {
          $0.sysctls = [
            .with {
              $0.name = "net.no.such"; $0.value = "1"
            }
          ]
        }
      }
      #expect(message.contains("net.no.such") && message.contains("No such file or directory"))
      #expect(!Files.exists(pod.netns))
      try await pod.setUp()
    }
  }

  @Test(arguments: ["vm.swappiness", "net/../kernel/shmmax", "kernel.panic", ""])
  func aSysctlOfTheHostIsRefused(_ name: String) async throws {
    try await TestPod.withBareShim { pod in
      let message = await pod.expect(code: 3) {
        try await pod.setUp {
          $0.sysctls = [
            .with {
              $0.name = name; $0.value = "1"
            }
          ]
        }
      }
      #expect(message.contains("\"\(name)\""))
    }
  }

  @Test func netSysctlsNeedANetworkOfThePodsOwn() async throws {
    try await TestPod.withBareShim { pod in
      await pod.expect(code: 3) {
        try await pod.setUp {
          $0.network = false
          $0.sysctls = [
            .with {
              $0.name = "net.ipv4.ip_forward"; $0.value = "1"
            }
          ]
        }
      }
    }
  }

  @Test func theSameSetupAgainAnswersAsTheFirst() async throws {
    try await TestPod.withBareShim { pod in
      let first = try await pod.setUp()
      #expect(try await pod.setUp() == first)
      await pod.expect(code: 6) { try await pod.setUp { $0.hostname = "other" } }
    }
  }

  @Test func inASharedPIDNamespaceTheHolderIsInitAndLeadsNowhere() async throws {
    try await TestPod.with {
      $0.pid = true
    } _: { pod in
      var container = TestContainer.shell(
        "cat /proc/1/comm; kill -9 1; setsid sleep 4321 & ls /proc/1/root 2>&1; ls -l /proc/1/exe 2>&1; (sleep 0 &); exit 4")
      container.sharesPID = true
      let (id, code) = try await pod.run(container)
      #expect(code == 4)
      let said = try pod.said(id)
      #expect(said.hasPrefix("berth-holder\n") && said.contains("/proc/1/root: Permission denied") && said.contains("/proc/1/exe"))
      #expect(!said.contains("memfd"))
      #expect(!pod.isRunning("sleep 4321"))
      try await pod.delete(id)
      #expect(try await pod.list().holderPid != 0)
    }
  }

  @Test func theHolderDiesWithItsShim() async throws {
    try await withAbandonedPod { pod, holder in
      pod.shim.kill()
      #expect(await pod.shim.ended(within: .seconds(10)))
      #expect(await holder.ended(within: .seconds(10)))
    }
  }

  private func withAbandonedPod(_ body: (TestPod, Pidfd) async throws -> Void) async throws {
    struct Done: Error {}
    await #expect(throws: Done.self) {
      try await TestPod.with { pod in
        try await body(pod, try Pidfd.open(Int32(try await pod.list().holderPid)))
        throw Done()
      }
    }
  }
}
