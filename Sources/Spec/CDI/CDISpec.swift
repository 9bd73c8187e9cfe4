/// A file of the Container Device Interface: devices of one kind, and what a container needs to use them
/// (github.com/cncf-tags/container-device-interface, SPEC.md, up to version 1.1.0).
struct CDISpec: Hashable {
  var cdiVersion: String
  var kind: String
  var devices: [Device]
  /// For every device of the file.
  var containerEdits: Edits
  var hasAnnotations = false

  struct Device: Hashable {
    var name: String
    var containerEdits: Edits
    var hasAnnotations = false
  }

  struct Edits: Hashable {
    var env: [String] = []
    var deviceNodes: [DeviceNode] = []
    var netDevices: [NetDevice] = []
    var mounts: [Mount] = []
    var hooks: [Hook] = []
    var additionalGids: [UInt32] = []
    var intelRdt: IntelRDT?

    var isEmpty: Bool { self == Edits() }
  }

  struct DeviceNode: Hashable {
    var path: String
    var hostPath: String?
    var type: String?
    var major: Int64?
    var minor: Int64?
    var fileMode: UInt32?
    /// Letters of `rwm`, or `none`.
    var permissions: String?
    var uid: UInt32?
    var gid: UInt32?
  }

  /// An interface of the host that moves into the container's network.
  struct NetDevice: Hashable {
    var hostInterfaceName: String
    var name: String
  }

  struct Mount: Hashable {
    var hostPath: String
    var containerPath: String
    var type: String?
    var options: [String] = []
  }

  struct Hook: Hashable {
    var hookName: String
    var path: String
    var args: [String]?
    var env: [String]?
    var timeout: Int?
  }

  struct IntelRDT: Hashable {
    var closID: String?
    var l3CacheSchema: String?
    var memBwSchema: String?
    /// Since 1.1.0, with `enableMonitoring` in the place of the two after it.
    var schemata: [String]?
    var enableMonitoring: Bool?
    var enableCMT: Bool?
    var enableMBM: Bool?
  }
}
