/// Linux capabilities in the kernel's numbering (capabilities(7), linux/capability.h).
package enum Capability: UInt8, CaseIterable, Sendable, Comparable {
  case chown, dacOverride, dacReadSearch, fowner, fsetid, kill, setgid, setuid, setpcap, linuxImmutable
  case netBindService, netBroadcast, netAdmin, netRaw, ipcLock, ipcOwner, sysModule, sysRawio, sysChroot, sysPtrace
  case sysPacct, sysAdmin, sysBoot, sysNice, sysResource, sysTime, sysTtyConfig, mknod, lease, auditWrite
  case auditControl, setfcap, macOverride, macAdmin, syslog, wakeAlarm, blockSuspend, auditRead, perfmon, bpf
  case checkpointRestore

  package static func < (a: Capability, b: Capability) -> Bool { a.rawValue < b.rawValue }

  /// With `CAP_`, as the runtime spec writes it.
  package var name: String { Capability.names[Int(rawValue)] }

  /// By name in any case, with or without `CAP_`.
  package init?(named text: String) {
    let upper = text.uppercased()
    guard let index = Capability.names.firstIndex(of: upper.hasPrefix("CAP_") ? upper : "CAP_" + upper) else { return nil }
    self.init(rawValue: UInt8(index))
  }

  /// What a container gets that asks for nothing: the set Docker and containerd agree on.
  package static let defaults: Set<Capability> = [
    .chown, .dacOverride, .fsetid, .fowner, .mknod, .netRaw, .setgid, .setuid, .setfcap, .setpcap, .netBindService, .sysChroot, .kill,
    .auditWrite,
  ]

  package static let all = Set(allCases)

  /// From a mask as in `/proc/self/status`; bits without a name are left out.
  package static func set(mask: UInt64) -> Set<Capability> { all.filter { mask & (1 << UInt64($0.rawValue)) != 0 } }

  private static let names = """
    CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE \
    NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE \
    SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE \
    AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF \
    CHECKPOINT_RESTORE
    """.split(separator: " ").map { "CAP_\($0)" }
}
