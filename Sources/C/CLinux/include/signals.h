// Signals as bytes on a pipe: a handler may do little more than write, and nothing of that is safe in Swift.
#pragma once

/// From now on every one of `signals` writes its number as one byte; returns the pipe's reading end, -1 with errno.
/// One pipe for each process: a second call adds signals to the first one's and returns the same descriptor.
int clinux_signal_pipe(const int *signals, int count);
/// SIG_IGN for SIGPIPE (the constant is a macro over a cast).
void clinux_ignore_broken_pipes(void);
