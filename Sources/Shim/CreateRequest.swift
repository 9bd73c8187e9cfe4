/// containerd's CreateTaskRequest with Berth's CreateOptions in it.
struct CreateRequest {
  static let optionsType: StaticString = "berth.shim.v1.CreateOptions"

  var id = Bytes()
  var bundle = Bytes()
  var terminal = false
  var options: CreateOptions?
  /// Two requests are the same request when their bytes are.
  let message: Bytes

  init(_ message: Bytes) throws(Malformed) {
    self.message = message
    var reader = ProtobufReader(message)
    while let field = try reader.next() {
      switch field.number {
      case 1: id = field.bytes
      case 2: bundle = field.bytes
      case 4: terminal = field.bool
      case 10: options = try Self.options(field.bytes)
      default: break
      }
    }
  }

  /// google.protobuf.Any; the type's name may follow a host.
  private static func options(_ any: Bytes) throws(Malformed) -> CreateOptions? {
    var reader = ProtobufReader(any)
    var type = Bytes()
    var value = Bytes()
    while let field = try reader.next() {
      if field.number == 1 { type = field.bytes }
      if field.number == 2 { value = field.bytes }
    }
    guard Bytes(type.suffix(optionsType.utf8CodeUnitCount)).matches(optionsType) else { return nil }
    return try CreateOptions(value)
  }

  var complaint: Failure? {
    if !isName(id) { return Failure(.invalidArgument, "\"" + id + "\" is no container id") }
    guard let options else { return Failure(.failedPrecondition, "CreateTaskRequest.options holds no berth.shim.v1.CreateOptions") }
    if !isPath(bundle) { return Failure(.invalidArgument, "bundle is no absolute path") }
    return options.complaint
  }
}

/// berth.shim.v1.CreateOptions
struct CreateOptions {
  var runtime = Runtime(path: [], root: [])
  var logPath = Bytes()
  var stdinOnce = false
  var cgroup = Bytes()
  var sharesPID = false
  var rootfs: Overlay?
  var stdin = false
  /// Bytes of a line in one record of the log.
  var logLineLimit = 16 << 10
  /// Whom the ends of stdio belong to that the container gets.
  var stdioUser: UInt32 = 0
  var stdioGroup: UInt32 = 0

  /// Milliseconds; nil for none.
  var createLimit: Int64?
  /// More words of the runtime's create.
  var createOptions: [Bytes] = []
  var seccompNotifier = false

  init(_ message: Bytes) throws(Malformed) {
    var reader = ProtobufReader(message)
    while let field = try reader.next() {
      switch field.number {
      case 1: runtime.path = field.bytes
      case 2: runtime.root = field.bytes
      case 3: logPath = field.bytes
      case 4: stdinOnce = field.bool
      case 5: cgroup = field.bytes
      case 6: sharesPID = field.bool
      case 7: rootfs = try Overlay(field.bytes)
      case 8: stdin = field.bool
      case 9: logLineLimit = Int(min(max(field.varint, 1), 128 << 10))
      case 20: stdioUser = field.uint32
      case 21: stdioGroup = field.uint32
      case 22: runtime.systemdCgroup = field.bool
      case 23: createLimit = field.varint > 0 ? Int64(field.uint32) : nil
      case 24: createOptions.append(field.bytes)
      case 25: seccompNotifier = field.bool
      default: break
      }
    }
  }

  var complaint: Failure? {
    if !isPath(runtime.path) { return Failure(.invalidArgument, "runtime is no absolute path") }
    if !isPath(runtime.root) { return Failure(.invalidArgument, "runtime_root is no absolute path") }
    if !logPath.isEmpty && !isPath(logPath) { return Failure(.invalidArgument, "log_path is no absolute path") }
    if !isCgroup(cgroup) { return Failure(.invalidArgument, "cgroup \"" + cgroup + "\" is not below a root") }
    return rootfs?.complaint
  }

  /// All that is in a container's cgroup may be killed: it must never be a root.
  private func isCgroup(_ path: Bytes) -> Bool {
    if path.isEmpty { return true }
    let parts = path.split(separator: 47)
    return !parts.isEmpty && !path.contains(0) && !parts.contains { $0.elementsEqual([46]) || $0.elementsEqual([46, 46]) }
  }
}

extension Overlay {
  init(_ message: Bytes) throws(Malformed) {
    var reader = ProtobufReader(message)
    while let field = try reader.next() {
      switch field.number {
      case 1: lower.append(field.bytes)
      case 2: upper = field.bytes
      case 3: work = field.bytes
      case 4: options.append(field.bytes)
      default: break
      }
    }
  }

  var complaint: Failure? {
    if isPlain { return isPath(upper) ? nil : Failure(.invalidArgument, "rootfs.upper is no absolute path") }
    if lower.isEmpty || !lower.allSatisfy(isPath) { return Failure(.invalidArgument, "rootfs.lower is not a list of absolute paths") }
    if upper.isEmpty != work.isEmpty { return Failure(.invalidArgument, "rootfs has one of upper and work") }
    if !upper.isEmpty && !(isPath(upper) && isPath(work)) { return Failure(.invalidArgument, "rootfs.upper or work is no absolute path") }
    return options.contains { $0.contains(0) } ? Failure(.invalidArgument, "rootfs.options holds a NUL") : nil
  }
}

/// What may become one component of a path.
func isName(_ name: Bytes) -> Bool {
  !name.isEmpty && name.count <= 128 && name[0] != 46
    && name.allSatisfy { (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 45 || $0 == 46 || $0 == 95 }
}

func isPath(_ path: Bytes) -> Bool { path.first == 47 && !path.contains(0) && path.count < 4096 }
