// The holder of a pod's namespaces: a child that does nothing but wait, and reap where it is PID 1.
#pragma once
#include <stdint.h>
#include <sys/types.h>

struct shim_holder {
  /// CLONE_NEW*; CLONE_NEWNS is always added.
  uint64_t namespaces;
  /// Lines of /proc/PID/uid_map and gid_map for a user namespace that owns the others; NULL for the host's.
  const char *uid_map;
  const char *gid_map;
  /// NULL to leave it.
  const char *hostname;
  /// Paths below /proc/sys and what is written there.
  const char *const *sysctl_paths;
  const char *const *sysctl_values;
  uint32_t sysctl_count;
  /// Raises `lo`.
  int loopback;
  /// An existing directory that the empty root is mounted on, in the holder's own mount namespace.
  const char *root;
  /// From `shim_holder_image`.
  int image;
};

/// A sealed memfd with the holder's own program of a few hundred bytes: no libc, and nothing that a container could change. -1 with errno.
int shim_holder_image(void);

/// Starts the holder. `report` becomes a non-blocking pipe: one zero byte when it is confined and waits, else a `shim_failure`.
pid_t shim_holder_start(const struct shim_holder *holder, int *pidfd, int *report);

/// CLONE_NEW* as values.
uint64_t shim_new_network(void);
uint64_t shim_new_ipc(void);
uint64_t shim_new_uts(void);
uint64_t shim_new_pid(void);
