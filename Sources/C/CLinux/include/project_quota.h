// Project quotas: what everything below a directory may occupy together (quotactl(2); FS_IOC_FSSETXATTR).
#pragma once
#include <stdint.h>

/// What a project occupies and may occupy, in bytes and inodes; no limit is 0.
struct clinux_project_quota {
  uint64_t bytes;
  uint64_t inodes;
  uint64_t limit;
};

/// 1 where the filesystem of `fd` keeps projects to their limits, 0 where not, -1 on failure. `device` is that of the filesystem, for kernels before 5.14.
int clinux_project_quotas_enforced(int fd, const char *device);
/// ENOENT (or zeros) where nothing is known of `project`.
int clinux_get_project_quota(int fd, const char *device, uint32_t project, struct clinux_project_quota *quota);
/// Bytes, rounded up to whole KiB; 0 takes the limit away.
int clinux_limit_project(int fd, const char *device, uint32_t project, uint64_t limit);
int clinux_get_project(int fd, uint32_t *project);
/// The project of a directory, and of everything that is made below it from now on.
int clinux_set_project(int fd, uint32_t project);
