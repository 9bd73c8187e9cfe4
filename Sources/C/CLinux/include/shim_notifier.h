// The process that answers a container's seccomp notifications: forked from the shim, it dies with it and needs no daemon.
#pragma once
#include <stdint.h>
#include <sys/types.h>

/// A blocked system call in the file that berthd writes and reads and the notifier counts in: an array of these.
struct shim_blocked_call {
  /// AUDIT_ARCH_* and the number there, as `seccomp_data` has them.
  uint32_t architecture;
  uint32_t number;
  /// The errno that the caller gets; 0 kills its process.
  uint32_t answer;
  uint32_t reserved;
  /// How often it was tried.
  uint64_t count;
};

/// Serves `seccomp.sock` in the bundle, where OCI runtimes hand over filters' descriptors, until it is killed or its parent ends. The file is
/// `seccomp.calls` there. Returns its pid, or -1 with errno.
pid_t shim_notifier_start(const char *bundle, int *pidfd);
