#include "CLinux.h"
#include <errno.h>
#include <sched.h>

int clinux_run_on(int pid, int processor) {
  cpu_set_t *set = CPU_ALLOC(processor + 1);
  if (!set) {
    errno = ENOMEM;
    return -1;
  }
  size_t size = CPU_ALLOC_SIZE(processor + 1);
  CPU_ZERO_S(size, set);
  CPU_SET_S(processor, size, set);
  int result = sched_setaffinity(pid, size, set);
  int error = errno;
  CPU_FREE(set);
  errno = error;
  return result;
}
