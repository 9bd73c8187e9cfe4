import ArgumentParser
import BerthAPI
import Core
import Linux
import OCI
import Settings
import SwiftProtobuf

/// Who one is at an image's registry, for every command that asks one. Without any of these berthd uses what its node is configured with.
struct CredentialOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("User and password at the image's registry; other users of this machine can see it.", valueName: "user:password"))
  var creds: String = ""
  @Option(help: "A docker config.json or podman auth.json to look the image's registry up in; its helpers are run here.")
  var authfile: String = ""
  @Option(help: "User at the image's registry.") var username: String = ""
  @Flag(help: "Read the password from standard input.") var passwordStdin = false

  func validate() throws {
    if passwordStdin == username.isEmpty { throw ValidationError("--username and --password-stdin belong together") }
    if [creds, authfile, username].count(where: { !$0.isEmpty }) > 1 {
      throw ValidationError("one of --creds, --authfile and --username is enough")
    }
    if !creds.isEmpty, !creds.contains(":") || creds.hasPrefix(":") { throw ValidationError("--creds must be user:password") }
  }

  /// For the registry of `image`; `nil` where none are given or the file has none for it.
  func credentials(for image: String) async throws -> Berth_V1_Credentials? {
    if !authfile.isEmpty { return try await fromFile(image)?.message }
    var credentials = RegistryCredentials()
    if !creds.isEmpty {
      let parts = creds.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      (credentials.username, credentials.password) = (String(parts[0]), String(parts[1]))
    } else if !username.isEmpty {
      (credentials.username, credentials.password) = (username, try readPassword())
    }
    return credentials.isEmpty ? nil : credentials.message
  }

  private func fromFile(_ image: String) async throws -> RegistryCredentials? {
    let reference = try ImageReference(parsing: image)
    let config = try CredentialFiles().config(authfile)
    switch config.identities(at: reference.domain).first(where: { $0.covers(reference.path) })?.identity {
    case nil: return nil
    case .credentials(let credentials, _): return credentials
    case .helper(let helper): return try await CredentialHelperPrograms(directories: Self.searchPath).credentials(helper)
    case .unusable(let reason): throw Failure(reason)
    }
  }

  /// The caller's own PATH: it is the caller who logs in.
  private static var searchPath: [String] {
    let path = ProcessEnvironment.strings.first { $0.hasPrefix("PATH=") }?.dropFirst(5) ?? ""
    let directories = path.split(separator: ":").map(String.init).filter { $0.hasPrefix("/") }
    return directories.isEmpty ? Executables.searchPath : directories
  }

  private func readPassword() throws -> String {
    let bytes = try Files.read(0, "standard input", limit: 64 << 10)
    return String(decoding: bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 1).first ?? [], as: UTF8.self)
  }
}

extension RegistryCredentials {
  fileprivate var message: Berth_V1_Credentials {
    .with {
      $0.username = username
      $0.password = password
      $0.identityToken = identityToken
      $0.registryToken = registryToken
      $0.serverAddress = serverAddress
    }
  }
}
