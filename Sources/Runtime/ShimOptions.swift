import CLinux

/// The options that a shim gets at its start and with each task: google.protobuf.Any.
struct ShimOptions {
  private static let runc: StaticString = "containerd.runc.v1.Options"
  /// Of most other shims; older ones know it as cri.runtimeoptions.v1.Options.
  private static let usual: StaticString = "runtimeoptions.v1.Options"

  let any: Bytes

  /// As the environment says; nil for none.
  init?(_ arguments: Arguments) {
    let type = Environment.value("BERTH_V2_OPTIONS_TYPE") ?? []
    if type.matches(Self.runc) {
      any = Self.any(Bytes(Self.runc), Self.runcOptions(arguments))
    } else {
      let isOuter = type.find(Self.usual) != nil
      let config = Environment.value("BERTH_V2_CONFIG")
      guard config != nil || (!type.isEmpty && !isOuter) else { return nil }
      var options = ProtobufWriter()
      options.put(1, isOuter ? [] : type)
      options.put(2, config ?? [])
      any = Self.any(isOuter ? type : Bytes(Self.usual), options.bytes)
    }
  }

  static func any(_ type: Bytes, _ value: Bytes) -> Bytes {
    var any = ProtobufWriter()
    any.put(1, type)
    any.put(2, value)
    return any.bytes
  }

  /// What the command line asks for, in the message of shims that call runc. Streams belong to whom those of this process do.
  private static func runcOptions(_ arguments: Arguments) -> Bytes {
    var options = ProtobufWriter()
    var status = stat()
    options.put(1, arguments.has("--no-pivot"))
    options.put(2, arguments.has("--no-new-keyring"))
    if fstat(1, &status) == 0 {
      options.put(4, UInt64(status.st_uid))
      options.put(5, UInt64(status.st_gid))
    }
    options.put(6, Environment.value("BERTH_V2_CONFIG") ?? [])
    options.put(9, arguments.has("--systemd-cgroup"))
    return options.bytes
  }
}
