// Starting programs and watching processes end.
#pragma once
#include <pthread.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>

/// What the child does between clone and exec, and what it becomes. All pointers stay the caller's.
struct clinux_spawn {
  const char *path;
  char *const *arguments;
  char *const *environment;
  /// Working directory; NULL keeps the caller's.
  const char *directory;
  /// descriptors[i] becomes the child's descriptor i; -1 leaves i closed. Every other descriptor is closed.
  const int *descriptors;
  int descriptor_count;
  /// Open cgroup.procs files the child writes itself into before anything else.
  const int *cgroups;
  int cgroup_count;
  int new_session;
  /// Written to /proc/self/oom_score_adj where set_oom_score says so; a refusal is ignored.
  int set_oom_score;
  int oom_score;
};

/// The step that failed, for the message.
enum clinux_spawn_step {
  CLINUX_SPAWN_CLONE = 0,
  CLINUX_SPAWN_SETSID,
  CLINUX_SPAWN_CGROUP,
  CLINUX_SPAWN_DESCRIPTORS,
  CLINUX_SPAWN_CHDIR,
  CLINUX_SPAWN_EXEC,
};

/// Starts the program with default signal dispositions and an empty mask. Returns 0 with pid and (close-on-exec) pidfd once execve succeeded,
/// else an errno with the failed step, and no child. The calling thread sleeps until then.
/// Swift cannot run between clone and exec: only async-signal-safe calls may.
int clinux_spawn(const struct clinux_spawn *plan, pid_t *pid, int *pidfd, int *step);

/// waitid(P_PIDFD) without blocking: 1 with code (as of CLD_EXITED) or signal when it was reaped, 0 when it still runs, -1 with errno.
int clinux_reap(int pidfd, int *code, int *signal);

/// EPOLLONESHOT | EPOLLIN: the constants arrive as enum cases of another type.
int clinux_epoll_watch(int epoll, int fd, uint64_t token);
/// Blocks for one event; 1 with its token, 0 on EINTR.
int clinux_epoll_next(int epoll, uint64_t *token);

/// A detached thread with a small stack and every signal blocked, so that a write to a closed pipe is EPIPE and nothing else.
int clinux_thread(void *(*body)(void *), void *argument, size_t stack);
