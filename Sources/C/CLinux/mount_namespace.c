#include "CLinux.h"
#include <limits.h>
#include <sys/stat.h>

static int restart(int namespace, char *const arguments[]) {
  char directory[PATH_MAX];
  int knows_directory = getcwd(directory, sizeof directory) != 0;
  // Threads share their root and working directory; who leaves the namespace must have its own. Only this thread lives on.
  if (unshare(CLONE_FS) || setns(namespace, CLONE_NEWNS)) return -1;
  // Where it was, as far as that is there: the options may name relative paths.
  if (knows_directory) (void)!chdir(directory);
  // Threads of a pool have signals blocked, and a program begins with what it inherits.
  sigset_t none, before;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, &before);
  execv("/proc/self/exe", arguments);
  int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, 0);
  errno = error;
  return -1;
}

int clinux_restart_in_mount_namespace(const char *path, char *const arguments[]) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  struct stat wanted, own;
  int result = fstat(fd, &wanted) || stat("/proc/self/ns/mnt", &own) ? -1 : 0;
  if (result == 0 && (wanted.st_ino != own.st_ino || wanted.st_dev != own.st_dev)) result = restart(fd, arguments);
  int error = errno;
  close(fd);
  errno = error;
  return result;
}
