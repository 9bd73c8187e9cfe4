import Core
import Linux

/// systemd writes its own figures of a unit's cgroup again whenever it is reloaded, so that it has to know of quotas that were changed behind it
/// (systemd.resource-control(5), `CPUQuota=`). For this boot only: its units are gone with it.
struct SystemdQuotas: Sendable {
  /// Where systemctl(1) is looked for.
  var directories = ["/usr/bin", "/bin"]

  private static let limit = Duration.seconds(20)

  /// Tells systemd what the kernel has for those of these groups that are units of its; nothing to do for others.
  /// FAILED_PRECONDITION where it does not take that.
  func tell(of groups: [String], in processors: ProcessorGroups) async throws {
    for group in groups {
      guard let unit = Self.unit(group) else { continue }
      try await stage("systemd's CPUQuota of \(unit)") { try await set(try processors.quota(of: group), on: unit) }
    }
  }

  private static func unit(_ group: String) -> String? {
    group.split(separator: "/").last.map(String.init).flatMap { $0.hasSuffix(".scope") || $0.hasSuffix(".slice") ? $0 : nil }
  }

  private func set(_ quota: ProcessorGroups.Quota?, on unit: String) async throws {
    guard let program = directories.map({ $0 + "/systemctl" }).first(where: { Files.isExecutable($0) }) else {
      throw Fault(.failedPrecondition, "there is no systemctl")
    }
    let properties = quota.map { ["CPUQuota=\($0.percentage)%", "CPUQuotaPeriodSec=\($0.period)us"] } ?? ["CPUQuota="]
    let output = try await Command.run(program, ["set-property", "--runtime", unit] + properties, timeout: Self.limit)
    if !output.succeeded { throw Fault(.failedPrecondition, output.errorText.isEmpty ? "systemctl: \(output.ending)" : output.errorText) }
  }
}
