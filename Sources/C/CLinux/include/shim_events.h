// Waiting: epoll, signalfd, eventfd, pidfds and threads in forms that Embedded Swift can call.
#pragma once
#include <stdint.h>
#include <sys/types.h>

int shim_epoll_create(void);
/// Adds, changes (`again`) or, with events 0, removes. The token comes back with each event.
int shim_epoll_set(int epoll, int fd, uint32_t events, int again);
/// Fills descriptors and their events; -1 with errno.
int shim_epoll_wait(int epoll, int32_t *fds, uint32_t *events, int count, int timeout);
/// EPOLLIN, EPOLLOUT as values.
uint32_t shim_epoll_in(void);
uint32_t shim_epoll_out(void);

/// Blocks every signal and returns a non-blocking signalfd(2) for SIGCHLD.
int shim_child_signals(void);
/// Reads the signalfd empty.
void shim_drain_signals(int fd);

/// Becomes the reaper of orphaned descendants; names this process; one malloc arena; large buffers go back to the kernel when freed.
int shim_become_reaper(void);
void shim_small_heap(void);
/// Gives back what the heap does not use.
void shim_trim_heap(void);
/// Gives back the pages of programs and libraries that this process has mapped and never changes: they come back from the page cache, a
/// microsecond each, when they are needed again.
void shim_rest(void);

/// The status of an ended child by its pidfd: 1 ended (exit code, or 128 + signal), 0 still running, -1 with errno (ECHILD: not ours).
int shim_reap(int pidfd, int32_t *code);
/// 1 where the process is a child of this one, ended or not.
int shim_is_child(int pidfd);
/// The pid of any ended child, left unreaped; 0 for none.
pid_t shim_ended_child(void);
/// Reaps exactly this ended child.
void shim_discard_child(pid_t pid);

/// A detached thread with a small stack. 0 or an errno value.
int shim_thread(void (*body)(void *), void *context);

/// Nanoseconds of CLOCK_REALTIME and CLOCK_MONOTONIC.
int64_t shim_realtime(void);
int64_t shim_monotonic(void);

/// argv as it was given to the program.
int shim_argc(void);
const char *shim_argv(int index);
/// Removes what must not reach children: NOTIFY_SOCKET, LISTEN_*, WATCHDOG_*.
void shim_clean_environment(void);
