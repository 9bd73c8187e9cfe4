#include "CLinux.h"

int clinux_thread_start(pthread_t *thread, const char *name, void *(*body)(void *), void *argument) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(thread, NULL, body, argument);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (error == 0) pthread_setname_np(*thread, name);
  return error;
}

int clinux_condition_init(pthread_cond_t *condition) {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  int error = pthread_cond_init(condition, &attributes);
  pthread_condattr_destroy(&attributes);
  return error;
}

int clinux_condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t nanoseconds) {
  if (nanoseconds < 0) return pthread_cond_wait(condition, mutex);
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  int64_t sum = until.tv_nsec + nanoseconds;
  until.tv_sec += sum / 1000000000;
  until.tv_nsec = sum % 1000000000;
  return pthread_cond_timedwait(condition, mutex, &until);
}

int clinux_processors(void) {
  cpu_set_t set;
  // EINVAL where the machine has more than a set can tell.
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : (int)sysconf(_SC_NPROCESSORS_ONLN);
}
