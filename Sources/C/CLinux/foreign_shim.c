#include "CLinux.h"

#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>

static _Noreturn void run_child(const struct foreign_program *program, pid_t parent) {
  sigset_t none;
  int sources[3] = {program->input, program->output, program->error};
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  for (int i = 0; i < 3; i++)
    if ((sources[i] = fcntl(sources[i], F_DUPFD_CLOEXEC, 3)) < 0) _exit(127);
  for (int i = 0; i < 3; i++) dup2(sources[i], i);
  syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
  shim_default_signals();
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  if (chdir(program->directory) == 0) execv(program->argv[0], (char *const *)program->argv);
  const char *words = strerror(errno);
  ssize_t ignored = write(2, words, strlen(words));
  (void)ignored;
  _exit(127);
}

pid_t foreign_run(const struct foreign_program *program, int *pidfd) {
  pid_t parent = getpid();
  // What it leaves running is this process's child then.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  pid_t pid = shim_clone(0, pidfd);
  if (pid == 0) run_child(program, parent);
  return pid;
}

pid_t foreign_fork(void) { return fork(); }

static void keep_only(int kept) {
  int null = open("/dev/null", O_RDWR);
  for (int i = 0; i < 3; i++) dup2(null, i);
  if (kept != 3) dup2(kept, 3);
  syscall(SYS_close_range, 4, ~0U, 0);
}

int foreign_detach(int kept) {
  pid_t child = fork();
  if (child < 0) return -1;
  if (child > 0) {
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
    return 1;
  }
  setsid();
  if (fork() != 0) _exit(0);
  struct rlimit unmarked = {RLIM_INFINITY, RLIM_INFINITY};
  prlimit(0, RLIMIT_RTTIME, &unmarked, NULL);
  keep_only(kept);
  return 0;
}

int foreign_connect(const char *name, size_t length, int is_abstract) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (length + 1 > sizeof address.sun_path) return errno = ENAMETOOLONG, -1;
  memcpy(address.sun_path + (is_abstract ? 1 : 0), name, length);
  socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, size) == 0) return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

int foreign_signals(void) {
  sigset_t all;
  sigfillset(&all);
  sigdelset(&all, SIGCHLD);
  for (const int *fault = (const int[]){SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, 0}; *fault; fault++) sigdelset(&all, *fault);
  sigprocmask(SIG_SETMASK, &all, NULL);
  return signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
}

int foreign_next_signal(int fd, int *origin) {
  struct signalfd_siginfo info;
  while (read(fd, &info, sizeof info) == sizeof info) {
    if (info.ssi_code == SI_USER && info.ssi_pid == (uint32_t)getpid()) continue;
    *origin = info.ssi_code == SI_KERNEL  ? FOREIGN_SIGNAL_OF_KERNEL
              : info.ssi_code == SI_QUEUE ? FOREIGN_SIGNAL_NUDGE
                                          : FOREIGN_SIGNAL_SENT;
    return (int)info.ssi_signo;
  }
  return 0;
}

int foreign_nudge(pid_t pid, int signal) { return sigqueue(pid, signal, (union sigval){0}); }

int foreign_lock(int fd) { return flock(fd, LOCK_EX | LOCK_NB); }
