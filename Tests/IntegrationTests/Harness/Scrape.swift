import Core
import Linux

/// What Prometheus reads.
struct Scrape: Sendable {
  let status: String
  let text: String

  var lines: Set<String> { Set(text.split(separator: "\n").map(String.init)) }

  /// Asks over a Unix socket.
  init(_ socket: String, _ path: String = "/metrics") async throws {
    let output = try await Command.run(
      "/usr/bin/python3", ["-c", Self.client, socket, path], environment: ["PATH=/usr/bin:/bin"], timeout: .seconds(30))
    (status, text) = (output.errorText, String(decoding: output.stdout, as: UTF8.self))
  }

  /// The body on standard output, the status on standard error.
  private static let client = """
    import http.client, socket, sys
    class C(http.client.HTTPConnection):
      def connect(self):
        self.sock = socket.socket(socket.AF_UNIX); self.sock.connect(sys.argv[1])
    c = C("localhost"); c.request("GET", sys.argv[2]); r = c.getresponse()
    sys.stdout.write(r.read().decode()); sys.stderr.write(str(r.status))
    """

  /// Of `name{label="value"}`; `nil` where it is not told.
  subscript(_ series: String) -> Double? {
    let found = text.split(separator: "\n").first { $0.hasPrefix(series + " ") }
    return found.flatMap { Double($0.dropFirst(series.utf8.count + 1)) }
  }

  /// Of all measures, without those of a histogram's parts.
  var names: Set<String> {
    Set(text.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }.map { String($0.split(separator: " ")[2]) })
  }
}
