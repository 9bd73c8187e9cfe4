#include "CLinux.h"

#include <linux/close_range.h>
#include <linux/sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>

pid_t shim_clone(uint64_t flags, int *pidfd) {
  struct clone_args arguments = {
      .flags = flags | CLONE_PIDFD,
      .pidfd = (uint64_t)(uintptr_t)pidfd,
      .exit_signal = SIGCHLD,
  };
  return (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
}

void shim_default_signals(void) {
  struct sigaction action = {.sa_handler = SIG_DFL};
  for (int number = 1; number < 65; number++) sigaction(number, &action, NULL);
}

void shim_child_failed(int report, int stage, int index, const char *text) {
  struct shim_failure failure = {.stage = stage, .error = errno, .index = index};
  for (size_t i = 0; text && text[i] && i + 1 < sizeof failure.text; i++) failure.text[i] = text[i];
  ssize_t ignored = write(report, &failure, sizeof failure);
  (void)ignored;
  _exit(127);
}

/// Descriptors 0, 1, 2 may be sources and targets at once: lift the sources above first.
static int place_descriptors(const struct shim_spawn *spawn) {
  int sources[3] = {spawn->input, spawn->output, spawn->error};
  for (int i = 0; i < 3; i++) {
    if (sources[i] < 0) sources[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (sources[i] >= 0 && sources[i] < 3) sources[i] = fcntl(sources[i], F_DUPFD_CLOEXEC, 3);
    if (sources[i] < 0) return -1;
  }
  for (int i = 0; i < 3; i++)
    if (dup2(sources[i], i) < 0) return -1;
  return (int)syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
}

static void set_oom_score(const char *score) {
  int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  ssize_t ignored = write(file, score, strlen(score));
  (void)ignored;
  close(file);
}

static _Noreturn void run_child(const struct shim_spawn *spawn, int report) {
  sigset_t none;
  shim_default_signals();
  setsid();
  if (spawn->mark) {
    struct rlimit limit = {.rlim_cur = spawn->mark, .rlim_max = RLIM_INFINITY};
    prlimit(0, RLIMIT_RTTIME, &limit, NULL);
  }
  if (report < 3) report = fcntl(report, F_DUPFD_CLOEXEC, 3);
  if (spawn->rootfs) {
    int index = -1;
    char text[200] = "";
    if (shim_mount_overlay(spawn->rootfs, &index, text, sizeof text) < 0)
      shim_child_failed(report, SHIM_STAGE_OVERLAY, index, text);
  }
  if (spawn->oom_score) set_oom_score(spawn->oom_score);
  if (spawn->directory && chdir(spawn->directory) < 0) shim_child_failed(report, SHIM_STAGE_DIRECTORY, -1, NULL);
  if (place_descriptors(spawn) < 0) shim_child_failed(report, SHIM_STAGE_DESCRIPTORS, -1, NULL);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execv(spawn->argv[0], (char *const *)spawn->argv);
  shim_child_failed(report, SHIM_STAGE_EXECUTE, -1, NULL);
}

pid_t shim_spawn(const struct shim_spawn *spawn, int *pidfd, int *report) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) return -1;
  pid_t pid = shim_clone(0, pidfd);
  if (pid == 0) run_child(spawn, ends[1]);
  int error = errno;
  close(ends[1]);
  if (pid < 0) close(ends[0]);
  *report = ends[0];
  errno = error;
  return pid;
}
