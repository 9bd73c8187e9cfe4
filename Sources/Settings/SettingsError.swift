package import Core

/// A configuration file that cannot be used: which, where, why (`/etc/berth/config.toml:3: unknown key "adress" …`).
package struct SettingsError: Error, Hashable, Sendable, CustomStringConvertible {
  package let file: String
  /// Counted from 1.
  package let line: Int?
  package let reason: String

  package init(_ file: String, line: Int? = nil, _ reason: String) {
    self.file = file
    self.line = line
    self.reason = reason
  }

  package var description: String { line.map { "\(file):\($0): \(reason)" } ?? "\(file): \(reason)" }
}

extension SettingsError: FaultConvertible {
  package var fault: Fault { Fault(.invalidArgument, description, cause: self) }
}
