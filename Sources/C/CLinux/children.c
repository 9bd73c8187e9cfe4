#include "CLinux.h"

#include <linux/close_range.h>
#include <sys/syscall.h>

// What parent and child share while the parent sleeps (CLONE_VM | CLONE_VFORK).
struct attempt {
  const struct clinux_spawn *plan;
  int step;
  int error;
};

enum { stack_size = 128 << 10, highest_target = 64 };

static void fail(struct attempt *attempt, int step) {
  attempt->step = step;
  attempt->error = errno ? errno : EINVAL;
  _exit(127);
}

// A target number may be another one's source: move every source out of the way first.
static int place_descriptors(const struct clinux_spawn *plan) {
  int count = plan->descriptor_count, moved[highest_target];
  if (count > highest_target) return errno = EINVAL, -1;
  for (int i = 0; i < count; i++) {
    moved[i] = plan->descriptors[i];
    if (moved[i] < 0) continue;
    moved[i] = fcntl(moved[i], F_DUPFD_CLOEXEC, count);
    if (moved[i] < 0) return -1;
  }
  for (int i = 0; i < count; i++) {
    if (moved[i] < 0) close(i);
    else if (dup2(moved[i], i) < 0) return -1;
  }
  return (int)syscall(SYS_close_range, count, ~0U, 0);
}

static void set_oom_score(int score) {
  char digits[16];
  int length = snprintf(digits, sizeof digits, "%d", score);
  int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  ssize_t ignored = write(fd, digits, (size_t)length);
  (void)ignored;
  close(fd);
}

// The raw call, since libc's own refuses the two real-time signals it keeps to itself, which may be inherited as ignored.
static void default_signals(void) {
  struct { void *handler; unsigned long flags; void *restorer; uint64_t mask; } kernel_default = {0};
  for (int number = 1; number < _NSIG; number++) syscall(SYS_rt_sigaction, number, &kernel_default, NULL, sizeof(uint64_t));
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

static int child(void *argument) {
  struct attempt *attempt = argument;
  const struct clinux_spawn *plan = attempt->plan;
  if (plan->new_session && setsid() < 0) fail(attempt, CLINUX_SPAWN_SETSID);
  for (int i = 0; i < plan->cgroup_count; i++)
    if (write(plan->cgroups[i], "0", 1) != 1) fail(attempt, CLINUX_SPAWN_CGROUP);
  if (plan->set_oom_score) set_oom_score(plan->oom_score);
  if (plan->directory && chdir(plan->directory) < 0) fail(attempt, CLINUX_SPAWN_CHDIR);
  if (place_descriptors(plan) < 0) fail(attempt, CLINUX_SPAWN_DESCRIPTORS);
  default_signals();
  execve(plan->path, plan->arguments, plan->environment);
  fail(attempt, CLINUX_SPAWN_EXEC);
  return 127;
}

int clinux_spawn(const struct clinux_spawn *plan, pid_t *pid, int *pidfd, int *step) {
  struct attempt attempt = {.plan = plan};
  *step = CLINUX_SPAWN_CLONE;
  void *stack = mmap(NULL, stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) return errno;
  // No handler of ours may run in the child, which shares our memory.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  *pid = clone(child, (char *)stack + stack_size, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &attempt, pidfd);
  int error = *pid < 0 ? errno : attempt.error;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  munmap(stack, stack_size);
  if (*pid >= 0 && error) {
    while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR) {}
    close(*pidfd);
    *step = attempt.step;
  }
  return error;
}

int clinux_reap(int pidfd, int *code, int *signal) {
  siginfo_t info = {0};
  if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) < 0) return -1;
  if (info.si_pid == 0) return 0;
  *code = info.si_code == CLD_EXITED ? info.si_status : 0;
  *signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
  return 1;
}

int clinux_epoll_watch(int epoll, int fd, uint64_t token) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = token};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

int clinux_epoll_next(int epoll, uint64_t *token) {
  struct epoll_event event;
  int count = epoll_wait(epoll, &event, 1, -1);
  if (count == 1) *token = event.data.u64;
  return count < 0 && errno == EINTR ? 0 : count;
}

int clinux_thread(void *(*body)(void *), void *argument, size_t stack) {
  pthread_attr_t attributes;
  int error = pthread_attr_init(&attributes);
  if (error) return error;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, stack);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  pthread_t thread;
  error = pthread_create(&thread, &attributes, body, argument);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return error;
}
