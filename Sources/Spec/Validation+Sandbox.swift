package import CRIAPI
package import Core
import Linux

extension Validation {
  package static func check(_ sandbox: Runtime_V1_PodSandboxConfig) throws(Fault) {
    guard sandbox.hasMetadata else { throw refuse("metadata", "is missing") }
    try checkName(sandbox.metadata.name, "metadata.name")
    try checkName(sandbox.metadata.namespace, "metadata.namespace")
    try checkName(sandbox.metadata.uid, "metadata.uid")
    try checkHostname(sandbox.hostname)
    if !sandbox.logDirectory.isEmpty { try checkAbsolute(sandbox.logDirectory, "log_directory") }
    try check(sandbox.dnsConfig)
    try check(sandbox.portMappings)
    if sandbox.hasWindows { throw refuse("windows", "this is Linux") }
    try checkTexts(sandbox.labels, "labels")
    try checkTexts(sandbox.annotations, "annotations")
    try check(sandbox.linux)
    try checkSysctls(sandbox.linux.sysctls, try PodNamespaces(sandbox))
  }

  private static func checkName(_ name: String, _ field: String) throws(Fault) {
    try require(name, field)
    try checkLine(name, field)
    if name.utf8.contains(UInt8(ascii: "/")) { throw refuse(field, "\"\(name.prefix(200))\" has a \"/\"") }
    try checkNameLength(name, field)
  }

  static func checkNameLength(_ name: String, _ field: String) throws(Fault) {
    if name.utf8.count > 253 { throw refuse(field, "\(name.utf8.count) bytes, at most 253 are allowed") }
  }

  /// Linux takes 64 bytes (HOST_NAME_MAX).
  private static func checkHostname(_ hostname: String) throws(Fault) {
    if hostname.utf8.count > 64 { throw refuse("hostname", "\(hostname.utf8.count) bytes, at most 64 are possible") }
    let isName = hostname.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") }
    if !isName { throw refuse("hostname", "\"\(hostname)\" has characters that no host name has") }
  }

  private static func check(_ dns: Runtime_V1_DNSConfig) throws(Fault) {
    let lists = [("servers", dns.servers), ("searches", dns.searches), ("options", dns.options)]
    for (name, values) in lists {
      for (index, value) in values.enumerated() {
        try checkLine(value, "dns_config.\(name)[\(index)]")
        if value.isEmpty { throw refuse("dns_config.\(name)[\(index)]", "is empty") }
      }
    }
  }

  /// A port of the host leads to one place.
  private static func check(_ ports: [Runtime_V1_PortMapping]) throws(Fault) {
    var taken: Set<[String]> = []
    for (index, port) in ports.enumerated() {
      let field = "port_mappings[\(index)]"
      try check(port, field)
      if port.hostPort != 0, !taken.insert(["\(port.hostPort)", "\(port.protocol.rawValue)", port.hostIp]).inserted {
        throw refuse("\(field).host_port", "\(port.hostPort) is mapped already")
      }
    }
  }

  private static func check(_ port: Runtime_V1_PortMapping, _ field: String) throws(Fault) {
    if case .UNRECOGNIZED(let value) = port.protocol { throw refuse("\(field).protocol", "there is no protocol \(value)") }
    if !(0...65535).contains(port.hostPort) { throw refuse("\(field).host_port", "\(port.hostPort) is no port") }
    if !(1...65535).contains(port.containerPort), port.hostPort != 0 || !(0...65535).contains(port.containerPort) {
      throw refuse("\(field).container_port", "\(port.containerPort) is no port")
    }
    if !port.hostIp.isEmpty, port.hostIp.utf8.contains(0) || SocketAddressText.family(of: port.hostIp) == nil {
      throw refuse("\(field).host_ip", "\"\(port.hostIp.prefix(100))\" is no IP address")
    }
  }

  private static func check(_ linux: Runtime_V1_LinuxPodSandboxConfig) throws(Fault) {
    try checkLine(linux.cgroupParent, "linux.cgroup_parent")
    try checkNoClimbing(linux.cgroupParent, "linux.cgroup_parent")
    try check(linux.overhead, "linux.overhead")
    try check(linux.resources, "linux.resources")
    let security = linux.securityContext
    if security.hasRunAsUser { try checkID(security.runAsUser.value, "linux.security_context.run_as_user") }
    if security.hasRunAsGroup { try checkID(security.runAsGroup.value, "linux.security_context.run_as_group") }
    try checkGroups(security.supplementalGroups, "linux.security_context.supplemental_groups")
    if case .UNRECOGNIZED(let value) = security.supplementalGroupsPolicy {
      throw refuse("linux.security_context.supplemental_groups_policy", "there is no policy \(value)")
    }
    for (name, profile) in [("seccomp", security.seccomp), ("apparmor", security.apparmor)] {
      try check(profile, "linux.security_context.\(name)")
    }
    try checkText(security.seccompProfilePath, "linux.security_context.seccomp_profile_path")
    _ = try SeccompRequest(security.hasSeccomp ? security.seccomp : nil, deprecated: security.seccompProfilePath)
    try check(security.selinuxOptions, "linux.security_context.selinux_options")
  }

  static func check(_ profile: Runtime_V1_SecurityProfile, _ field: String) throws(Fault) {
    if case .UNRECOGNIZED(let value) = profile.profileType { throw refuse("\(field).profile_type", "there is no type \(value)") }
    try checkText(profile.localhostRef, "\(field).localhost_ref")
    if profile.profileType == .localhost { return try require(profile.localhostRef, "\(field).localhost_ref") }
    if !profile.localhostRef.isEmpty {
      throw refuse("\(field).localhost_ref", "\"\(profile.localhostRef.prefix(200))\" is only for the type Localhost")
    }
  }

  static func check(_ label: Runtime_V1_SELinuxOption, _ field: String) throws(Fault) {
    for (name, value) in [("user", label.user), ("role", label.role), ("type", label.type), ("level", label.level)] {
      try checkLine(value, "\(field).\(name)")
      if name != "level", value.contains(":") { throw refuse("\(field).\(name)", "\"\(value.prefix(100))\" has a \":\"") }
    }
  }

  /// Only what belongs to the pod's own namespaces: anything else would change the host.
  private static func checkSysctls(_ sysctls: [String: String], _ pod: PodNamespaces) throws(Fault) {
    for name in sysctls.keys.sorted() {
      let field = "linux.sysctls[\"\(name.prefix(100))\"]"
      let value = sysctls[name] ?? ""
      try checkText(value, field)
      if value.utf8.count > 4095 { throw refuse(field, "\(value.utf8.count) bytes, no value is longer than 4095") }
      let dotted = String(name.map { $0 == "/" ? "." : $0 })
      let isWellFormed = name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } && !dotted.contains("..") && !dotted.hasPrefix(".")
      if !isWellFormed { throw refuse(field, "is no sysctl") }
      switch SysctlScope(dotted) {
      case .network: if !pod.ownNetwork { throw refuse(field, "belongs to the host's network, which the pod uses") }
      case .ipc: if !pod.ownIPC { throw refuse(field, "belongs to the host's IPC namespace, which the pod uses") }
      case nil: throw refuse(field, "is not part of any namespace: it would change the host")
      }
    }
  }
}
