/// What one check found out, and what to do about it.
struct Finding: Equatable, Sendable {
  enum Verdict: String, Sendable {
    case good = "✓"
    /// Pods run, but something will be missed.
    case warning = "!"
    /// Pods will not run.
    case unfit = "✗"
  }

  let verdict: Verdict
  /// `kernel`, `cgroups`, …
  let subject: String
  let detail: String
  /// What a person can do; nil for what is good.
  let remedy: String?

  static func good(_ subject: String, _ detail: String) -> Finding {
    Finding(verdict: .good, subject: subject, detail: detail, remedy: nil)
  }

  static func warning(_ subject: String, _ detail: String, _ remedy: String) -> Finding {
    Finding(verdict: .warning, subject: subject, detail: detail, remedy: remedy)
  }

  static func unfit(_ subject: String, _ detail: String, _ remedy: String) -> Finding {
    Finding(verdict: .unfit, subject: subject, detail: detail, remedy: remedy)
  }

  /// `✗ runc        not found: apt-get install runc`
  var line: String {
    let padded = subject + String(repeating: " ", count: max(0, 12 - subject.count))
    return "\(verdict.rawValue) \(padded) \(detail)" + (remedy.map { ": \($0)" } ?? "")
  }
}
