/// What must be known of a container by whoever comes later, without this one's environment. On disk: a protobuf message.
struct ContainerRecord {
  var shim = ForeignShim()
  /// Where it listens; empty until it does.
  var address = Bytes()
  /// Of its Task service: 2 or 3.
  var version: Int64 = 2
  var process = ProcessIdentity()
  /// Stands for the container's init.
  var proxy = ProcessIdentity()
  /// Init's number as the shim tells it; on this machine or another.
  var task: Int32 = 0
  /// The shim is making it, and a guardian sees to what comes of that.
  var isBeingMade = false

  init(shim: ForeignShim) { self.shim = shim }

  init(_ bytes: Bytes) throws(Malformed) {
    var reader = ProtobufReader(bytes)
    while let field = try reader.next() {
      switch field.number {
      case 1: shim.program = field.bytes
      case 2: shim.namespace = field.bytes
      case 3: shim.id = field.bytes
      case 4: shim.bundle = field.bytes
      case 5: shim.daemon = field.bytes
      case 6: shim.events = field.bytes
      case 7: address = field.bytes
      case 8: version = field.int64
      case 9: process.pid = field.int32
      case 10: process.start = field.int64
      case 11: proxy.pid = field.int32
      case 12: proxy.start = field.int64
      case 13: task = field.int32
      case 14: isBeingMade = field.bool
      default: break
      }
    }
  }

  var bytes: Bytes {
    var writer = ProtobufWriter()
    let texts = [shim.program, shim.namespace, shim.id, shim.bundle, shim.daemon, shim.events, address]
    for (index, text) in texts.enumerated() { writer.put(UInt64(index + 1), text) }
    writer.put(8, version)
    writer.put(9, process.pid)
    writer.put(10, process.start)
    writer.put(11, proxy.pid)
    writer.put(12, proxy.start)
    writer.put(13, task)
    writer.put(14, isBeingMade)
    return writer.bytes
  }
}
