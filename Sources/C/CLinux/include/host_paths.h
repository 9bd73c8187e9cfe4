// Paths that are not ours (a user's volumes) and mounts with other owners: work for a disposable child, and ID-mapped mounts.
#pragma once
#include <stdint.h>
#include <sys/types.h>

/// What the child does with one path. Symlinks are followed.
enum clinux_path_verb {
  /// Looks whether something is there, and what.
  CLINUX_PATH_LOOK = 0,
  /// Makes it and its parents as directories (mode 0755) where nothing is, then looks.
  CLINUX_PATH_MAKE,
  /// The same two below the target, which is the root for every symlink on the way.
  CLINUX_PATH_LOOK_BELOW,
  CLINUX_PATH_MAKE_BELOW,
  /// Mounts it, with all that is mounted below it, at the target as the user namespace maps its owners.
  CLINUX_PATH_MAP,
  /// Gives it and all below it the target for an SELinux label; file systems that know none are left alone.
  CLINUX_PATH_LABEL,
  /// As LABEL, but only where it has another label itself.
  CLINUX_PATH_LABEL_UNLESS_THERE,
};

struct clinux_path_job {
  int verb;
  const char *path;
  /// MAP: where it appears; exists already. LABEL: the label. BELOW: the root.
  const char *target;
  /// MAP: MS_PRIVATE, MS_SLAVE, or 0 to leave it as it is.
  uint64_t propagation;
};

struct clinux_path_report {
  /// 0 or an errno.
  int32_t error;
  /// st_mode.
  uint32_t mode;
  /// Without symlinks, NUL-terminated.
  char resolved[4096];
};

/// Starts the child; it writes one report a job, in order, to the pipe, and ends. `userns` is used by MAP, -1 for none. The child holds no other
/// descriptor of the caller's, so that one that hangs for ever hinders nobody. -1 with errno.
pid_t clinux_path_child(const struct clinux_path_job *jobs, int count, int userns, int *pidfd, int *report);

/// A new user namespace with these maps (lines of /proc/PID/uid_map), as a descriptor; -1 with errno.
int clinux_user_namespace(const char *uid_map, const char *gid_map);

/// Writes both maps of a process in a new user namespace. -1 with errno.
int clinux_write_maps(pid_t pid, const char *uid_map, const char *gid_map);

/// What of a mapped mount is asked for.
enum clinux_map_flags { CLINUX_MAP_RECURSIVE = 1, CLINUX_MAP_READONLY = 2 };

/// Mounts `path` at `target` as the user namespace maps its owners (mount_setattr(2), MOUNT_ATTR_IDMAP). -1 with errno: EINVAL where the filesystem cannot
/// do that. A target of NULL only tries whether it can be done.
int clinux_mount_mapped(const char *path, const char *target, int userns, int flags, uint64_t propagation);
