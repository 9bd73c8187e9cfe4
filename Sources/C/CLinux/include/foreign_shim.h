// What berth-runtime needs of the kernel: children that die with it, processes that outlive it, terminals, signals as messages.
#pragma once
#include <stdint.h>
#include <sys/types.h>

/// A program to run to its end. Its standard streams are descriptors of the caller.
struct foreign_program {
  const char *const *argv;
  const char *directory;
  int input;
  int output;
  int error;
};

/// Starts a program that is killed when this process ends. Its pid, or -1 with errno; one that cannot be executed exits with 127 and says why on
/// `error`.
pid_t foreign_run(const struct foreign_program *program, int *pidfd);

/// fork(2), which Swift does not import. 0 in the child.
pid_t foreign_fork(void);
/// A grandchild in a session of its own, with no descriptor but `kept` (as number 3) and without its parent's mark on it (`shim_spawn.mark`).
/// 0 there; 1 in this process; -1 with errno.
int foreign_detach(int kept);

/// A connected, close-on-exec stream socket to a path or, without one, an abstract name; -1 with errno.
int foreign_connect(const char *name, size_t length, int is_abstract);

/// Blocks all signals that can be, and returns a non-blocking signalfd(2) for them.
int foreign_signals(void);
/// Who raised a signal.
enum foreign_signal_origin { FOREIGN_SIGNAL_SENT, FOREIGN_SIGNAL_OF_KERNEL, FOREIGN_SIGNAL_NUDGE };
/// The next signal, or 0 for none. What a process raises by itself is passed over.
int foreign_next_signal(int fd, int *origin);
/// Sends a signal that arrives as FOREIGN_SIGNAL_NUDGE.
int foreign_nudge(pid_t pid, int signal);

/// A new terminal whose slave passes everything on as it is. 0, or -1 with errno.
int foreign_terminal(int *master, int *slave);
/// Makes this process, which leads no session yet, the leader of one; with a terminal (not -1) that tells it of changes of its size.
void foreign_lead_session(int terminal);
/// Sends a descriptor with its name over the socket at `path`, as OCI runtimes hand over a terminal. 0, or -1 with errno.
int foreign_hand_over(const char *path, int descriptor);

/// An exclusive flock(2) without waiting for it. 0, or -1 with errno.
int foreign_lock(int fd);
