// Children of the shim: everything between clone3(2) and execve(2), where only async-signal-safe code may run.
#pragma once
#include <stdint.h>
#include <sys/types.h>

/// An overlay mount made in the child before it executes. All strings outlive the call.
struct shim_overlay {
  /// Layer directories, highest first.
  const char *const *lower;
  uint32_t lower_count;
  /// NULL for a read-only overlay.
  const char *upper;
  const char *work;
  /// `name` or `name=value`.
  const char *const *options;
  uint32_t option_count;
  const char *target;
};

/// Where a child failed; the value of `shim_failure.stage`.
enum shim_stage {
  SHIM_STAGE_NONE = 0,
  SHIM_STAGE_DESCRIPTORS,
  SHIM_STAGE_DIRECTORY,
  SHIM_STAGE_OVERLAY,
  SHIM_STAGE_EXECUTE,
  SHIM_STAGE_HOSTNAME,
  SHIM_STAGE_LOOPBACK,
  SHIM_STAGE_SYSCTL,
  SHIM_STAGE_ROOT,
  SHIM_STAGE_CREDENTIALS,
  SHIM_STAGE_CONFINE,
};

/// What a child writes to its report pipe when it cannot go on.
struct shim_failure {
  int32_t stage;
  int32_t error;
  /// Which sysctl or layer; -1 for none.
  int32_t index;
  /// The kernel's own words, NUL-terminated; often empty.
  char text[244];
};

struct shim_spawn {
  const char *const *argv;
  /// NULL to stay.
  const char *directory;
  /// Decimal oom_score_adj, not set where the kernel refuses it. NULL to keep this process's.
  const char *oom_score;
  /// -1 for /dev/null.
  int input;
  int output;
  int error;
  /// NULL for none.
  const struct shim_overlay *rootfs;
  /// 0 for none: a soft limit of RLIMIT_RTTIME that no process notices and every descendant inherits, whatever session or parent it gets.
  uint64_t mark;
};

/// Starts a child in a session of its own with default signal dispositions, an empty mask and no other descriptor. Returns its pid or -1.
/// `report` becomes a non-blocking pipe: a `shim_failure` where the child could not execute, else end of file.
pid_t shim_spawn(const struct shim_spawn *spawn, int *pidfd, int *report);

/// clone3(2) without a shared address space. 0 in the child.
pid_t shim_clone(uint64_t flags, int *pidfd);

/// For children only: default dispositions for every signal.
void shim_default_signals(void);
/// For children only: writes the failure with errno to `report` and exits.
_Noreturn void shim_child_failed(int report, int stage, int index, const char *text);

/// Mounts the overlay at its target. 0, or -1 with errno, `*index` (the layer at fault or -1) and the kernel's message in `text`.
/// Falls back to the plain mount where the kernel cannot take layers one by one.
int shim_mount_overlay(const struct shim_overlay *overlay, int *index, char *text, size_t size);

/// The same by mount(2), for kernels before 6.8. E2BIG where even descriptors do not fit (about 200 layers).
int shim_mount_overlay_plain(const struct shim_overlay *overlay, int *index);
