import CRIAPI
import Core
import GRPC
import Linux
import Support
import SwiftProtobuf
import Testing

/// `berth exec`, `attach`, `run -it`, `port-forward` and `logs` over a real berthd, on terminals and on pipes.
@Suite(.serialized, .timeLimit(.minutes(2))) struct CommandLineTests {
  private func sleeper(_ node: Node) async throws -> (pod: String, container: String) {
    try await node.importBusybox()
    let pod = try await node.run(try node.podConfig("cli"))
    return (pod, try await node.launch("main", ["/bin/sleep", "1000"], in: pod))
  }

  private func runs(_ node: Node, _ container: String, _ word: String) async throws -> Bool {
    String(decoding: try await node.exec(container, ["/bin/ps"]).stdout, as: UTF8.self).contains(word)
  }

  @Test func `exec passes input to its end, keeps the streams apart and takes over the exit code`() async throws {
    try await Node.with { node in
      let (_, container) = try await sleeper(node)
      let first = try await node.commandLine("exec", "-i", "main", "--", "/bin/sh", "-c", "cat; echo err >&2; exit 7", input: "hello")
      #expect(first.code == 7 && first.stdout == "hello" && first.stderr == "err\n", "\(first)")
      let quiet = try await node.commandLine("exec", "main", "cat", input: "nobody reads this")
      #expect(quiet.code == 0 && quiet.stdout == "", "\(quiet)")
      let missing = try await node.commandLine("exec", "main", "--", "/no/such")
      #expect(missing.code == 1 && missing.stderr.hasPrefix("berth: ") && missing.stderr.contains("/no/such"), "\(missing)")
      let late = try await node.commandLine("exec", "--timeout", "1", "main", "--", "sleep", "4711")
      #expect(late.code == 124 && late.stderr.contains("was killed"), "\(late)")
      try await eventually("it is killed") { try await runs(node, container, "4711") ? nil : true }
      let large = try await node.commandLine("exec", "main", "--", "sh", "-c", "head -c 900000 /dev/zero | tr '\\0' x")
      #expect(large.stdout.utf8.count == 900_000 && large.code == 0)
      let plain = try await node.commandLine("exec", "-it", "main", "--", "sh", input: "x")
      #expect(plain.code != 0 && plain.stderr.contains("no terminal"), "\(plain)")
    }
  }

  @Test func `a terminal hands on keys and sizes, and is as before afterwards`() async throws {
    try await Node.with { node in
      let (_, container) = try await sleeper(node)
      let shell = try await node.commandLineOnTerminal("exec", "-it", "main", "--", "/bin/sh", columns: 101, rows: 33)
      try shell.type("stty size; tty\r")
      try await shell.shows("33 101")
      try await shell.shows("/dev/pts/")
      #expect(try await shell.currentSettings().contains("-icanon"))
      try shell.resize(columns: 120, rows: 40)
      try await eventually("the new size is told") {
        try shell.type("stty size\r")
        try await Task.sleep(for: .milliseconds(50))
        return shell.screen().contains("40 120") ? true : nil
      }
      // Ctrl-C is the remote command's.
      try shell.type("sleep 3456\r")
      try await eventually("it sleeps") { try await runs(node, container, "sleep 3456") ? true : nil }
      try shell.type("\u{3}")
      try await eventually("it is interrupted") { try await runs(node, container, "sleep 3456") ? nil : true }
      try shell.type("exit 3\r")
      #expect(try await shell.ended() == .exited(3))
      #expect(try await shell.currentSettings() == shell.settings)
    }
  }

  @Test(arguments: [1, 2, 15, 11] as [Int32])
  func `a signal that ends berth leaves the terminal as it was, and nothing of the command`(number: Int32) async throws {
    try await Node.with { node in
      let (_, container) = try await sleeper(node)
      let shell = try await node.commandLineOnTerminal("exec", "-it", "main", "--", "/bin/sh")
      try shell.type("sleep 3457\r")
      try await eventually("it sleeps") { try await runs(node, container, "sleep 3457") ? true : nil }
      #expect(try await shell.currentSettings() != shell.settings)
      try shell.process.signal(number)
      #expect(try await shell.ended() == .signalled(number))
      #expect(try await shell.currentSettings() == shell.settings)
      try await eventually("the command is killed") { try await runs(node, container, "sleep 3457") ? nil : true }
    }
  }

  @Test func `an error restores the terminal, and a berthd that goes away is one`() async throws {
    try await Node.with { node in
      _ = try await sleeper(node)
      let missing = try await node.commandLineOnTerminal("exec", "-it", "main", "--", "/no/such")
      #expect(try await missing.ended() == .exited(1))
      #expect(try await missing.currentSettings() == missing.settings)
      let shell = try await node.commandLineOnTerminal("exec", "-it", "main", "--", "/bin/sh")
      try shell.type("echo he''re\r")
      try await shell.shows("here")
      try await node.restart()
      #expect(try await shell.ended() == .exited(1))
      #expect(shell.screen().contains("berth: "))
      #expect(try await shell.currentSettings() == shell.settings)
    }
  }

  @Test func `attach shows the last lines, types, leaves by its keys, and ends with the container`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("attach"))
      let script = "stty -echo; for i in 1 2 3; do echo line$i; done; while read l; do echo \"got $l\"; [ \"$l\" = end ] && exit 6; done"
      let id = try await node.launch("main", ["/bin/sh", "-c", script], in: pod) { ($0.stdin, $0.tty) = (true, true) }
      try await eventually("it has written") { try await node.log(id, of: pod).contains("line3") ? true : nil }
      let first = try await node.commandLineOnTerminal("attach", "--tail", "2", "main")
      try await first.shows("line3")
      #expect(first.screen().contains("line2") && !first.screen().contains("line1"))
      try first.type("one\r")
      try await first.shows("got one")
      try first.type("\u{10}\u{11}")
      #expect(try await first.ended() == .exited(0))
      #expect(try await first.currentSettings() == first.settings)
      #expect(try await node.status(container: id).state == .containerRunning)
      let second = try await node.commandLineOnTerminal("attach", "main")
      try second.type("end\r")
      #expect(try await second.ended() == .exited(6))
      #expect(second.screen().contains("got end"))
    }
  }

  @Test func `run -it is a shell that cleans up, and run -i takes a pipe to its end`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let shell = try await node.commandLineOnTerminal("run", "-it", "--hostnetwork", "busybox", "--", "/bin/sh")
      try shell.type("echo he''re; stty size\r")
      try await shell.shows("here")
      try await shell.shows("24 80")
      try shell.type("exit 5\r")
      #expect(try await shell.ended() == .exited(5))
      #expect(try await shell.currentSettings() == shell.settings)
      #expect(try await node.pods() == [])
      let piped = try await node.commandLine(
        "run", "-i", "--hostnetwork", "busybox", "--", "/bin/sh", "-c", "cat; exit 4", input: "through\n")
      #expect(piped.code == 4 && piped.stdout == "through\n", "\(piped)")
      let left = try await node.commandLineOnTerminal("run", "-it", "--hostnetwork", "--name", "stays", "busybox", "--", "/bin/sh")
      try left.type("echo the''re\r")
      try await left.shows("there")
      try left.type("\u{10}\u{11}")
      #expect(try await left.ended() == .exited(0))
      #expect(try await node.containers().contains { $0.metadata.name == "stays" && $0.state == .containerRunning })
    }
  }

  @Test func `port-forward leads local connections to a server in the pod until the pod is gone`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("forward"))
      _ = try await node.launch("web", ["/bin/sh", "-c", "echo page > /tmp/index.html; httpd -f -p 127.0.0.1:8080 -h /tmp"], in: pod)
      let forward = try await node.commandLineOnTerminal("port-forward", "forward", ":8080", ":9")
      try await forward.shows("to port 9")
      let port = try #require(forward.screen().firstMatch(of: /127\.0\.0\.1:(\d+) to port 8080/).flatMap { Int($0.1) })
      try await eventually("the page") {
        let wire = try await Wire.connect(port)
        try await wire.write("GET /index.html HTTP/1.0\r\n\r\n")
        let page = try? await wire.readToEnd()
        try await wire.close()
        return page?.hasSuffix("page\n") == true ? true : nil
      }
      let dead = try #require(forward.screen().firstMatch(of: /127\.0\.0\.1:(\d+) to port 9\D/).flatMap { Int($0.1) })
      let refused = try await Wire.connect(dead)
      #expect((try? await refused.readToEnd()) ?? "" == "")
      try await forward.shows("error forwarding port 9")
      try await node.stop(pod: pod)
      let last = try await Wire.connect(port)
      #expect(try await forward.ended() == .exited(1))
      try await last.close()
    }
  }

  @Test func `a streaming server with TLS is asked by those who trust it and show a certificate`() async throws {
    try await withScratch("tls") { scratch in
      let authority = try await TestAuthority(in: scratch)
      let (server, client) = (try await authority.issue("server"), try await authority.issue("client"))
      let stranger = try await TestAuthority(in: scratch, name: "stranger")
      let settings = """
        [streaming]
        tls_cert = "\(server.certificate)"
        tls_key = "\(server.key)"
        tls_client_ca = "\(authority.certificate)"

        """
      try await Node.with(settings: settings) { node in
        _ = try await sleeper(node)
        let own = ["--tls-cert", client.certificate, "--tls-key", client.key]
        func exec(_ options: [String]) async throws -> (code: Int32, stdout: String, stderr: String) {
          try await node.commandLine(["exec"] + options + ["main", "--", "echo", "secret"])
        }
        let good = try await exec(["--tls-ca", authority.certificate] + own)
        #expect(good.code == 0 && good.stdout == "secret\n", "\(good)")
        for options in [own, ["--tls-ca", stranger.certificate] + own, ["--tls-ca", authority.certificate]] {
          let bad = try await exec(options)
          #expect(bad.code == 1 && bad.stdout == "" && bad.stderr.hasPrefix("berth: "), "\(options): \(bad)")
        }
      }
    }
  }

  @Test func `logs follow rotations to the end of the container`() async throws {
    try await Node.with { node in
      try await node.importBusybox()
      let pod = try await node.run(try node.podConfig("logs"))
      let script = "i=0; while [ $i -lt 400 ]; do echo line $i; i=$((i+1)); usleep 4000; done; echo end"
      let id = try await node.launch("main", ["/bin/sh", "-c", script], in: pod)
      let follower = try await node.commandLineOnTerminal("logs", "-f", "main")
      try await follower.shows("line ")
      let path = try await node.status(container: id).logPath
      // Faster than anybody looks.
      for number in 0..<8 {
        try Files.move(path, to: "\(path).\(number)")
        let request = Runtime_V1_ReopenContainerLogRequest.with { $0.containerID = id }
        _ = try await node.runtime("ReopenContainerLog", request, returning: Runtime_V1_ReopenContainerLogResponse.self)
      }
      #expect(try await follower.ended() == .exited(0))
      let lines = follower.screen().split(whereSeparator: \.isNewline)
      #expect(lines.last == "end")
      #expect(lines.dropLast().compactMap { Int($0.dropFirst(5)) } == Array(0..<400))
      let stamped = try await node.commandLine("logs", "--timestamps", "--tail", "1", "main")
      #expect(stamped.stdout.firstMatch(of: /^\d{4}-\d\d-\d\dT\S+ end\n$/) != nil, "\(stamped)")
      let old = try await node.commandLine("logs", "--until", "1h", "main")
      #expect(old.code == 0 && old.stdout == "")
    }
  }
}
