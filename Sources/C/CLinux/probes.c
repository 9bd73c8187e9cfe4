#include "CLinux.h"
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

// <linux/mount.h> cannot be included beside <sys/mount.h> on older libc headers.
enum { config_set_string = 1 };

int clinux_probe_overlay_append(void) {
  int context = (int)syscall(SYS_fsopen, "overlay", 0);
  if (context < 0) return errno;
  int error = syscall(SYS_fsconfig, context, config_set_string, "lowerdir+", "/", 0) == 0 ? 0 : errno;
  // Before Linux 6.5 overlay took any text here and looked at it only when mounting.
  if (error == 0 && syscall(SYS_fsconfig, context, config_set_string, "berth", "no option", 0) == 0) error = EINVAL;
  close(context);
  return error;
}

int clinux_probe_pidfd(void) {
  int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
  if (fd < 0) return errno;
  close(fd);
  return 0;
}

int clinux_probe_openat2(void) {
  struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
  int fd = (int)syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof how);
  if (fd < 0) return errno;
  close(fd);
  return 0;
}

int clinux_probe_clone3(void) {
  // A size of 0 is always invalid, so nothing is ever cloned.
  long result = syscall(SYS_clone3, NULL, 0);
  return result < 0 && errno == EINVAL ? 0 : errno;
}

int clinux_probe_seccomp(void) {
  uint32_t action = SECCOMP_RET_ERRNO;
  return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0 ? 0 : errno;
}
