// Image storage: writeback and reflinks.
#pragma once
#include <pthread.h>
#include <stdint.h>

/// sync_file_range(2): starts writing a range out, waits for nothing.
int clinux_start_writeback(int fd, int64_t offset, int64_t length);
/// sync_file_range(2): writes the file's data out and waits for it; metadata and disk cache are not flushed.
int clinux_await_writeback(int fd);
/// ioctl(FICLONE).
int clinux_reflink(int to, int from);
/// Makes UTF-8 the calling thread's character set (only this thread's), whatever LANG says: libarchive converts names by it.
void clinux_use_utf8(void);
