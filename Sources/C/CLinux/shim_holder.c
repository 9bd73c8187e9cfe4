#include "CLinux.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/// An id that no image and no pod can ask for (both stop at 2^31-1), so that no container's process may signal a holder; nobody where
/// a user namespace does not map it.
#define HOLDER_ID 4294967278U
#define NOBODY 65534U

uint64_t shim_new_network(void) { return CLONE_NEWNET; }
uint64_t shim_new_ipc(void) { return CLONE_NEWIPC; }
uint64_t shim_new_uts(void) { return CLONE_NEWUTS; }
uint64_t shim_new_pid(void) { return CLONE_NEWPID; }

static int raise_loopback(void) {
  struct ifreq request = {.ifr_name = "lo"};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  int result = ioctl(fd, SIOCGIFFLAGS, &request);
  request.ifr_flags |= IFF_UP;
  if (result == 0) result = ioctl(fd, SIOCSIFFLAGS, &request);
  close(fd);
  return result;
}

static int write_sysctl(const char *path, const char *value) {
  int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return -1;
  ssize_t count = write(fd, value, strlen(value));
  int error = errno;
  close(fd);
  errno = error;
  return count < 0 ? -1 : 0;
}

/// The old root goes away altogether: /proc/1/root leads into an empty directory that nobody can write.
static int empty_root(const char *directory) {
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) return -1;
  if (mount("berth-holder", directory, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0555,size=4k,nr_inodes=1") < 0) return -1;
  if (chdir(directory) < 0 || syscall(SYS_pivot_root, ".", ".") < 0) return -1;
  if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0) return -1;
  return mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

static int take_id(uint32_t id) {
  if (syscall(SYS_setresgid, id, id, id) < 0) return -1;
  return (int)syscall(SYS_setresuid, id, id, id);
}

/// Raw calls: this process is a copy of one thread, and libc's wrappers would look for the others.
static int drop_privileges(void) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct none[2] = {{0}};
  struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
  setrlimit(RLIMIT_NPROC, &unlimited);
  for (int capability = 0; prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0; capability++) {}
  if (syscall(SYS_setgroups, 0, NULL) < 0) return -1;
  // A user namespace may map neither: then it stays that one's root, whom only its own kind can reach.
  if (take_id(HOLDER_ID) < 0 && take_id(NOBODY) < 0 && take_id(0) < 0) return -1;
  if (syscall(SYS_capset, &header, none) < 0) return -1;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return -1;
  return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

static int set_up_namespaces(const struct shim_holder *holder, int report) {
  if (holder->hostname && sethostname(holder->hostname, strlen(holder->hostname)) < 0)
    shim_child_failed(report, SHIM_STAGE_HOSTNAME, -1, NULL);
  if (holder->loopback && raise_loopback() < 0) shim_child_failed(report, SHIM_STAGE_LOOPBACK, -1, NULL);
  for (uint32_t i = 0; i < holder->sysctl_count; i++)
    if (write_sysctl(holder->sysctl_paths[i], holder->sysctl_values[i]) < 0)
      shim_child_failed(report, SHIM_STAGE_SYSCTL, (int)i, NULL);
  return empty_root(holder->root);
}

/// A new user namespace maps nothing until the shim has written the maps; only then can its root be taken on, who owns what is made from now on:
/// the IPC namespace's file system (/dev/mqueue) too, which belongs to whom its maker was then.
static void become_root(const struct shim_holder *holder, int mapped, int report) {
  char byte;
  if (read(mapped, &byte, 1) != 1) _exit(127);
  close(mapped);
  if (take_id(0) < 0 || unshare(holder->namespaces & CLONE_NEWIPC) < 0) shim_child_failed(report, SHIM_STAGE_CREDENTIALS, -1, NULL);
}

static _Noreturn void run_holder(const struct shim_holder *holder, int report) {
  static char *const arguments[] = {"berth-holder", NULL};
  static char *const environment[] = {NULL};
  sigset_t all;
  shim_default_signals();
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  setsid();
  if (set_up_namespaces(holder, report) < 0) shim_child_failed(report, SHIM_STAGE_ROOT, -1, NULL);
  int image = fcntl(holder->image, F_DUPFD_CLOEXEC, 3);
  if (image < 0 || dup2(report, 0) < 0) shim_child_failed(report, SHIM_STAGE_DESCRIPTORS, -1, NULL);
  if (syscall(SYS_close_range, 1, ~0U, CLOSE_RANGE_CLOEXEC) < 0) shim_child_failed(0, SHIM_STAGE_DESCRIPTORS, -1, NULL);
  if (drop_privileges() < 0) shim_child_failed(0, SHIM_STAGE_CREDENTIALS, -1, NULL);
  syscall(SYS_execveat, image, "", arguments, environment, AT_EMPTY_PATH);
  shim_child_failed(0, SHIM_STAGE_CONFINE, -1, NULL);
}

static int let_in(pid_t pid, const struct shim_holder *holder, int mapped) {
  if (clinux_write_maps(pid, holder->uid_map, holder->gid_map) < 0) return -1;
  return write(mapped, "", 1) == 1 ? 0 : -1;
}

pid_t shim_holder_start(const struct shim_holder *holder, int *pidfd, int *report) {
  int ends[2], mapped[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) return -1;
  if (pipe2(mapped, O_CLOEXEC) < 0) return close(ends[0]), close(ends[1]), -1;
  uint64_t later = holder->uid_map ? CLONE_NEWIPC : 0;
  pid_t pid = shim_clone((holder->namespaces & ~later) | CLONE_NEWNS | (holder->uid_map ? CLONE_NEWUSER : 0), pidfd);
  if (pid == 0) {
    close(ends[0]);
    close(mapped[1]);
    if (holder->uid_map) become_root(holder, mapped[0], ends[1]);
    run_holder(holder, ends[1]);
  }
  int error = errno;
  if (pid > 0 && holder->uid_map && let_in(pid, holder, mapped[1]) < 0) {
    error = errno;
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
    close(*pidfd);
    pid = -1;
  }
  close(mapped[0]);
  close(mapped[1]);
  close(ends[1]);
  if (pid < 0) close(ends[0]);
  *report = ends[0];
  errno = error;
  return pid;
}
