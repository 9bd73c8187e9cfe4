import ArgumentParser
import Linux

/// Who asks a registry, on the command line: otherwise berthd uses what it has configured.
struct CredentialOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "User and password at the registry; others on this node can see them, --password-stdin hides them.",
      valueName: "user:password"))
  var creds: String = ""
  @Option(help: "User at the registry.") var username: String = ""
  @Flag(help: "Read the password from standard input.") var passwordStdin = false

  func validate() throws {
    if passwordStdin == username.isEmpty { throw ValidationError("--username and --password-stdin belong together") }
    if !creds.isEmpty, !username.isEmpty { throw ValidationError("--creds and --username exclude each other") }
    if !creds.isEmpty, !creds.contains(":") { throw ValidationError("--creds: a user and a password with a colon between them") }
  }

  /// Both empty for none.
  func pair() throws -> (username: String, password: String) {
    if let colon = creds.firstIndex(of: ":") { return (String(creds[..<colon]), String(creds[creds.index(after: colon)...])) }
    return (username, passwordStdin ? try readPassword() : "")
  }

  private func readPassword() throws -> String {
    let bytes = try Files.read(0, "standard input", limit: 64 << 10)
    return String(decoding: bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 1).first ?? [], as: UTF8.self)
  }
}
