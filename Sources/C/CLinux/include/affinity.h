#pragma once

/// Binds a process's main thread to one processor (sched_setaffinity(2)); what it starts inherits that. 0, or -1 with errno.
int clinux_run_on(int pid, int processor);
