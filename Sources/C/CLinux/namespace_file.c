#include "CLinux.h"

#include <linux/magic.h>

int clinux_is_namespace(const char *path) {
  struct statfs status;
  if (statfs(path, &status) != 0) return 0;
  return status.f_type == NSFS_MAGIC || status.f_type == PROC_SUPER_MAGIC;
}
