// Terminals: what ioctl(2) hides from Swift, and what must happen in signal handlers.
#pragma once

/// TIOCGWINSZ. 0 and the size, or -1 with errno (ENOTTY for what is no terminal).
int clinux_terminal_size(int fd, int *columns, int *rows);

/// Hands every key through as it is (cfmakeraw(3)) until `clinux_terminal_restore`, which also happens when the process exits, dies of a
/// signal, or is stopped by one. One terminal a process. Signals that somebody else handles already are left to them. -1 with errno.
int clinux_terminal_raw(int fd);
/// Async-signal-safe; without effect where there is nothing to restore.
void clinux_terminal_restore(void);
/// The reading end of a pipe that gets a byte whenever the terminal's size may have changed (SIGWINCH, SIGCONT); -1 with errno.
int clinux_terminal_changes(void);
