#include "CLinux.h"

#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

int clinux_errno(void) { return errno; }

int clinux_openat(int dirfd, const char *path, int flags, mode_t mode) { return openat(dirfd, path, flags, mode); }

int clinux_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
  struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
  return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof how);
}

uint64_t clinux_resolve_in_root(void) { return RESOLVE_IN_ROOT; }
uint64_t clinux_resolve_beneath(void) { return RESOLVE_BENEATH; }
uint64_t clinux_resolve_no_symlinks(void) { return RESOLVE_NO_SYMLINKS; }
uint64_t clinux_resolve_no_magiclinks(void) { return RESOLVE_NO_MAGICLINKS; }
uint64_t clinux_resolve_no_xdev(void) { return RESOLVE_NO_XDEV; }

int clinux_fcntl_int(int fd, int command, int argument) { return fcntl(fd, command, argument); }

int clinux_pidfd_open(pid_t pid, unsigned flags) { return (int)syscall(SYS_pidfd_open, pid, flags); }

int clinux_pidfd_send_signal(int pidfd, int signal) { return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0); }

int clinux_renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags) {
  return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

int clinux_exited(int status) { return WIFEXITED(status); }
int clinux_exit_status(int status) { return WEXITSTATUS(status); }
int clinux_term_signal(int status) { return WTERMSIG(status); }

uint32_t clinux_file_type(uint32_t mode) { return mode & S_IFMT; }

uint64_t clinux_makedev(uint32_t major, uint32_t minor) { return makedev(major, minor); }
uint32_t clinux_major(uint64_t device) { return major(device); }
uint32_t clinux_minor(uint64_t device) { return minor(device); }
