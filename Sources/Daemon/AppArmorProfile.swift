import Core
import Linux
import Logging
import Settings
import Spec

/// Gives the kernel the profile that RuntimeDefault means.
enum AppArmorProfile {
  private static let limit = Duration.seconds(10)

  /// The profile's name, the operator's own where one is named; nil, with a warning, where it cannot be had: RuntimeDefault then leaves
  /// containers to their other limits, as on a node without AppArmor.
  static func load(_ settings: Configuration, logger: Logger) async -> String? {
    guard !settings.containers.ignoresAppArmor, (try? NodeFacts.hasAppArmor()) == true else { return nil }
    if let name = settings.containers.appArmorProfile { return name }
    guard let parser = Executables.find("apparmor_parser") else {
      logger.warning("this node has AppArmor but no apparmor_parser: RuntimeDefault confines nothing by AppArmor; install apparmor")
      return nil
    }
    do {
      try await load(parser, settings.state + "/apparmor")
      return DefaultAppArmor.name
    } catch {
      logger.warning(
        "AppArmor profile \(DefaultAppArmor.name) cannot be loaded: RuntimeDefault confines nothing by AppArmor: \(Fault(error))")
      return nil
    }
  }

  /// Replaces the profile of an earlier daemon; containers that have it get the new one.
  private static func load(_ parser: String, _ directory: String) async throws {
    let path = directory + "/" + DefaultAppArmor.name
    let text = DefaultAppArmor.profile(includesBase: Files.exists("/etc/apparmor.d/abstractions/base"))
    try Files.makeDirectories(directory)
    try Files.write(Array(text.utf8), to: path)
    let output = try await Command.run(
      parser, ["--skip-cache", "--replace", path], environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"], timeout: limit)
    guard output.succeeded else { throw Fault(.internal, "\(parser): \(output.errorText.prefix(500))") }
  }
}
