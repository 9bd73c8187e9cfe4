#include "project_quota.h"

#include "CLinux.h"

#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd 443
#endif
// <sys/quota.h> defines these, and what <linux/quota.h> does, too.
#define PROJECT_COMMAND(command) (int)QCMD(command, PRJQUOTA)

static int control(int fd, const char *device, int command, uint32_t project, void *data) {
  long result = syscall(SYS_quotactl_fd, fd, command, project, data);
  if (result == -1 && errno == ENOSYS) result = syscall(SYS_quotactl, command, device, project, data);
  return (int)result;
}

int clinux_project_quotas_enforced(int fd, const char *device) {
  struct fs_quota_stat state = {.qs_version = FS_QSTAT_VERSION};
  if (control(fd, device, PROJECT_COMMAND(Q_XGETQSTAT), 0, &state) == -1) return -1;
  return (state.qs_flags & FS_QUOTA_PDQ_ENFD) != 0;
}

int clinux_get_project_quota(int fd, const char *device, uint32_t project, struct clinux_project_quota *quota) {
  struct if_dqblk block = {0};
  if (control(fd, device, PROJECT_COMMAND(Q_GETQUOTA), project, &block) == -1) return -1;
  quota->bytes = block.dqb_curspace;
  quota->inodes = block.dqb_curinodes;
  quota->limit = block.dqb_bhardlimit * 1024;
  return 0;
}

int clinux_limit_project(int fd, const char *device, uint32_t project, uint64_t limit) {
  struct if_dqblk block = {.dqb_bhardlimit = (limit + 1023) / 1024, .dqb_valid = QIF_BLIMITS};
  return control(fd, device, PROJECT_COMMAND(Q_SETQUOTA), project, &block);
}

int clinux_get_project(int fd, uint32_t *project) {
  struct fsxattr attributes;
  if (ioctl(fd, FS_IOC_FSGETXATTR, &attributes) == -1) return -1;
  *project = attributes.fsx_projid;
  return 0;
}

int clinux_set_project(int fd, uint32_t project) {
  struct fsxattr attributes;
  if (ioctl(fd, FS_IOC_FSGETXATTR, &attributes) == -1) return -1;
  attributes.fsx_projid = project;
  attributes.fsx_xflags |= FS_XFLAG_PROJINHERIT;
  return ioctl(fd, FS_IOC_FSSETXATTR, &attributes);
}
