import CLinux

/// What `--version` says.
let version: StaticString = "berth-runtime 0.1.0"

exit(Invocation.run())
