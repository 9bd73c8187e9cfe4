import CLinux

/// What `--version` and Connect say.
let version: StaticString = "berth-shim 0.1.0"

exit(Invocation.run())
