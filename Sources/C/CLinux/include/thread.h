#pragma once
#include <pthread.h>

/// Starts a joinable thread named `name` (15 bytes at most) with all signals blocked, so that signals reach the threads that want them. Returns an errno value.
int clinux_thread_start(pthread_t *thread, const char *name, void *(*body)(void *), void *argument);

/// pthread_cond_timedwait against CLOCK_MONOTONIC in nanoseconds from now; -1 waits without end. Returns 0 or ETIMEDOUT.
int clinux_condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t nanoseconds);
/// A condition variable on CLOCK_MONOTONIC.
int clinux_condition_init(pthread_cond_t *condition);
/// Processors that this process may run on.
int clinux_processors(void);
