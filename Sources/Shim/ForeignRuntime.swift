import CLinux

/// berth-runtime, behind which is another's shim.
enum ForeignRuntime {
  static let isUsed = Bytes("BERTH_V2_SHIM").withCString { getenv($0) != nil }
}
