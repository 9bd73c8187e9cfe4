#include "CLinux.h"

#include <sys/ioctl.h>
#include <linux/fs.h>
#include <sys/syscall.h>

int clinux_start_writeback(int fd, int64_t offset, int64_t length) {
  return sync_file_range(fd, offset, length, SYNC_FILE_RANGE_WRITE);
}

int clinux_await_writeback(int fd) {
  return sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
}

int clinux_reflink(int to, int from) { return ioctl(to, FICLONE, from); }
