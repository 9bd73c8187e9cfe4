package enum Mounts {
  package struct Flags: OptionSet, Sendable { package let rawValue: UInt; package init(rawValue: UInt) { self.rawValue = rawValue }
    package static let noSUID = Flags(rawValue: 2), noDevices = Flags(rawValue: 4), noExec = Flags(rawValue: 8) }
  package static func mount(_ source: String, on: String, type: String, flags: Flags, data: String) throws {}
  package static func unmountIfMounted(_ path: String) throws {}
}
