// Linux from Swift: what the importer cannot see (macros, variadic functions, raw system calls). One header per topic as it grows.
#pragma once
#define _GNU_SOURCE 1
#include <features.h>
// _GNU_SOURCE also renames fd_set's one member. Swift's own Glibc module has it under the other name, and Clang refuses two modules that
// define one struct differently (in some orders of loading them only), so this one header is read as Swift's module reads it.
#pragma push_macro("__USE_XOPEN")
#undef __USE_XOPEN
#include <sys/select.h>
#pragma pop_macro("__USE_XOPEN")
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <dirent.h>
#include <sys/xattr.h>
#include <sys/file.h>
#include "environment.h"
#include "namespace_file.h"
#include "thread.h"

#include "affinity.h"
#include "mount_namespace.h"
#include "probes.h"
#include "signals.h"
#include "terminal.h"
#include "clinux_process.h"
#include "clinux_socket.h"
#include "dial.h"

#include "shim_events.h"
#include "shim_holder.h"
#include "shim_sockets.h"
#include "shim_child.h"
#include "shim_notifier.h"
#include "foreign_shim.h"
#include "host_paths.h"
#include "loop_device.h"
#include "project_quota.h"
#include "address.h"

/// errno is a macro over a thread-local lvalue, which Swift does not import.
int clinux_errno(void);
/// open(2) and openat(2) are variadic.
int clinux_openat(int dirfd, const char *path, int flags, mode_t mode);
/// openat2(2) has no libc wrapper; `resolve` takes RESOLVE_* of <linux/openat2.h>.
int clinux_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);
/// RESOLVE_IN_ROOT, RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_XDEV as values.
uint64_t clinux_resolve_in_root(void);
uint64_t clinux_resolve_beneath(void);
uint64_t clinux_resolve_no_symlinks(void);
uint64_t clinux_resolve_no_magiclinks(void);
uint64_t clinux_resolve_no_xdev(void);
/// fcntl(2) with an int argument is variadic.
int clinux_fcntl_int(int fd, int command, int argument);
/// pidfd_open(2) and pidfd_send_signal(2).
int clinux_pidfd_open(pid_t pid, unsigned flags);
int clinux_pidfd_send_signal(int pidfd, int signal);
/// renameat2(2) flags are not in every libc header.
int clinux_renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
/// Wait status macros.
int clinux_exited(int status);
int clinux_exit_status(int status);
int clinux_term_signal(int status);
/// S_IF* masks arrive as mode_t expressions the importer drops.
uint32_t clinux_file_type(uint32_t mode);
/// makedev/major/minor are macros.
uint64_t clinux_makedev(uint32_t major, uint32_t minor);
uint32_t clinux_major(uint64_t device);
uint32_t clinux_minor(uint64_t device);

#include "clinux_storage.h"
