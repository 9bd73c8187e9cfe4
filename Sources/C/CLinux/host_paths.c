#include "CLinux.h"

#include <linux/close_range.h>
#include <dirent.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sys/xattr.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

// <sys/mount.h> does not have it everywhere.
#ifndef MOVE_MOUNT_F_EMPTY_PATH
#define MOVE_MOUNT_F_EMPTY_PATH 0x00000004
#endif
enum { recursive = 0x8000, child_report = 0, child_userns = 1 };

int clinux_mount_mapped(const char *path, const char *target, int userns, int flags, uint64_t propagation) {
  unsigned depth = flags & CLINUX_MAP_RECURSIVE ? recursive : 0;
  struct mount_attr attributes = {
      .attr_set = MOUNT_ATTR_IDMAP | (flags & CLINUX_MAP_READONLY ? MOUNT_ATTR_RDONLY : 0),
      .propagation = propagation,
      .userns_fd = (uint64_t)userns,
  };
  int tree = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | depth);
  if (tree < 0) return -1;
  int result = (int)syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | depth, &attributes, sizeof attributes);
  if (result == 0 && target) result = (int)syscall(SYS_move_mount, tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH);
  int error = errno;
  close(tree);
  errno = error;
  return result;
}

static int make_directories(const char *path) {
  char part[4096];
  size_t length = strlen(path);
  if (length >= sizeof part) return errno = ENAMETOOLONG, -1;
  memcpy(part, path, length + 1);
  for (size_t i = 1; i <= length; i++) {
    if (part[i] != '/' && part[i] != 0) continue;
    part[i] = 0;
    if (mkdir(part, 0755) < 0 && errno != EEXIST && errno != EROFS) return -1;
    if (i < length) part[i] = '/';
  }
  return 0;
}

static int open_below(int root, const char *path) { return clinux_openat2(root, path, O_PATH | O_CLOEXEC, 0, RESOLVE_IN_ROOT); }

// Each part by itself: a symlink in the middle leads to where the rest is made.
static int make_below(int root, const char *path) {
  char part[4096];
  size_t length = strlen(path);
  if (length >= sizeof part) return errno = ENAMETOOLONG, -1;
  memcpy(part, path, length + 1);
  int parent = open_below(root, "/");
  for (size_t i = 1; parent >= 0 && i <= length; i++) {
    if ((part[i] != '/' && part[i] != 0) || part[i - 1] == '/') continue;
    part[i] = 0;
    int next = open_below(root, part);
    if (next < 0 && errno == ENOENT && mkdirat(parent, strrchr(part, '/') + 1, 0755) == 0) next = open_below(root, part);
    int error = errno;
    close(parent);
    errno = error;
    parent = next;
    if (i < length) part[i] = '/';
  }
  return parent;
}

static int has_label(const char *path, const char *label) {
  char old[512];
  size_t length = strlen(label);
  ssize_t count = lgetxattr(path, "security.selinux", old, sizeof old);
  return count > 0 && strnlen(old, (size_t)count) == length && memcmp(old, label, length) == 0;
}

// Errors that mean that there is nothing to label: no labels here, or gone meanwhile.
static int label_one(const char *path, const char *label) {
  if (has_label(path, label) || lsetxattr(path, "security.selinux", label, strlen(label) + 1, 0) == 0) return 0;
  return errno == EOPNOTSUPP || errno == EROFS || errno == ENOENT ? 0 : -1;
}

struct entry {
  uint64_t inode;
  int64_t offset;
  unsigned short size;
  unsigned char type;
  char name[];
};

enum { label_depth = 256, label_buffer = 1024 };

static int label_below(int directory, const char *label, int depth);

static int label_entry(int directory, const struct entry *entry, const char *label, int depth) {
  char path[4096];
  if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0) return 0;
  snprintf(path, sizeof path, "/proc/self/fd/%d/%s", directory, entry->name);
  if (label_one(path, label) < 0) return -1;
  if (entry->type != DT_DIR && entry->type != DT_UNKNOWN) return 0;
  int inner = openat(directory, entry->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (inner < 0) return errno == ENOTDIR || errno == ELOOP || errno == ENOENT ? 0 : -1;
  int result = label_below(inner, label, depth + 1);
  int error = errno;
  close(inner);
  errno = error;
  return result;
}

// No allocation: this is a copy of one thread of many.
static int label_below(int directory, const char *label, int depth) {
  _Alignas(struct entry) char buffer[label_buffer];
  if (depth > label_depth) return errno = ENAMETOOLONG, -1;
  for (;;) {
    ssize_t count = syscall(SYS_getdents64, directory, buffer, sizeof buffer);
    if (count <= 0) return (int)count;
    for (ssize_t place = 0; place < count;) {
      const struct entry *entry = (const struct entry *)(buffer + place);
      if (label_entry(directory, entry, label, depth) < 0) return -1;
      place += entry->size;
    }
  }
}

// The top comes last: where it has the label, all below it was done.
static int label_tree(const char *path, const char *label) {
  int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return errno == ENOTDIR ? label_one(path, label) : -1;
  int result = label_below(directory, label, 0);
  int error = errno;
  close(directory);
  errno = error;
  return result < 0 ? -1 : label_one(path, label);
}

static int look(int fd, struct clinux_path_report *report) {
  struct stat status;
  char link[32];
  if (fd < 0) return -1;
  if (fstat(fd, &status) < 0) return -1;
  report->mode = status.st_mode;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t count = readlink(link, report->resolved, sizeof report->resolved - 1);
  if (count < 0) return -1;
  report->resolved[count] = 0;
  close(fd);
  return 0;
}

static int perform_below(const struct clinux_path_job *job, struct clinux_path_report *report) {
  int root = open(job->target, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return -1;
  int fd = job->verb == CLINUX_PATH_MAKE_BELOW ? make_below(root, job->path) : open_below(root, job->path);
  int error = errno;
  close(root);
  errno = error;
  return look(fd, report);
}

static int perform(const struct clinux_path_job *job, struct clinux_path_report *report) {
  if (job->verb == CLINUX_PATH_MAKE && access(job->path, F_OK) < 0 && make_directories(job->path) < 0) return -1;
  if (job->verb == CLINUX_PATH_LOOK_BELOW || job->verb == CLINUX_PATH_MAKE_BELOW) return perform_below(job, report);
  if (job->verb == CLINUX_PATH_MAP)
    return clinux_mount_mapped(job->path, job->target, child_userns, CLINUX_MAP_RECURSIVE, job->propagation);
  int unless_there = job->verb == CLINUX_PATH_LABEL_UNLESS_THERE && !has_label(job->path, job->target);
  if ((job->verb == CLINUX_PATH_LABEL || unless_there) && label_tree(job->path, job->target) < 0) return -1;
  return look(open(job->path, O_PATH | O_CLOEXEC), report);
}

/// The daemon's descriptors must not live on in a child that a dead server keeps for ever.
static int keep_only(int report, int userns) {
  if (dup2(report, child_report) < 0) return -1;
  if (userns >= 0 && dup2(userns, child_userns) < 0) return -1;
  return (int)syscall(SYS_close_range, userns >= 0 ? 2 : 1, ~0U, 0);
}

static _Noreturn void run_child(const struct clinux_path_job *jobs, int count, int userns, int report) {
  static struct clinux_path_report result;
  shim_default_signals();
  // Neither may be the other's target.
  int lifted = fcntl(report, F_DUPFD, 3);
  int mapped = userns >= 0 ? fcntl(userns, F_DUPFD, 3) : -1;
  if (lifted < 0 || keep_only(lifted, mapped) < 0) _exit(127);
  umask(0);
  for (int i = 0; i < count; i++) {
    memset(&result, 0, sizeof result);
    result.error = perform(&jobs[i], &result) < 0 ? errno : 0;
    if (write(child_report, &result, sizeof result) != sizeof result) _exit(127);
  }
  _exit(0);
}

pid_t clinux_path_child(const struct clinux_path_job *jobs, int count, int userns, int *pidfd, int *report) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return -1;
  pid_t pid = shim_clone(0, pidfd);
  if (pid == 0) run_child(jobs, count, userns, ends[1]);
  int error = errno;
  close(ends[1]);
  if (pid < 0) close(ends[0]);
  *report = ends[0];
  errno = error;
  return pid;
}

static int write_map(pid_t pid, const char *name, const char *map) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t count = write(fd, map, strlen(map));
  int error = errno;
  close(fd);
  errno = error;
  return count < 0 ? -1 : 0;
}

int clinux_write_maps(pid_t pid, const char *uid_map, const char *gid_map) {
  return write_map(pid, "uid_map", uid_map) < 0 ? -1 : write_map(pid, "gid_map", gid_map);
}

int clinux_user_namespace(const char *uid_map, const char *gid_map) {
  char path[64];
  int pidfd = -1, fd = -1;
  pid_t pid = shim_clone(CLONE_NEWUSER, &pidfd);
  if (pid < 0) return -1;
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    for (;;) pause();
  }
  if (clinux_write_maps(pid, uid_map, gid_map) == 0) {
    snprintf(path, sizeof path, "/proc/%d/ns/user", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
  }
  int error = errno;
  kill(pid, SIGKILL);
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
  close(pidfd);
  errno = error;
  return fd;
}
