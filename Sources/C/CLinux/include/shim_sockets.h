// Unix sockets, pipes and terminals of the shim.
#pragma once
#include <stdint.h>
#include <sys/types.h>

/// accept4(2), close-on-exec and non-blocking.
int shim_accept(int listener);
/// The peer's user id; -1 with errno.
int64_t shim_peer_user(int fd);
/// Both ends close-on-exec. A packet pair keeps message borders.
int shim_packet_pair(int ends[2]);
int shim_pipe(int ends[2]);
int shim_set_nonblocking(int fd);

/// A listening socket named `name` in the directory `dirfd`, whatever the length of its path.
int shim_listen_in(int dirfd, const char *name);
/// Receives one descriptor (close-on-exec) sent with SCM_RIGHTS; -1 with errno, EAGAIN when there is none yet.
int shim_receive_descriptor(int fd);
/// TIOCSWINSZ.
int shim_resize_terminal(int fd, uint16_t columns, uint16_t rows);
/// Bytes in a pipe that nobody has read yet; -1 with errno.
int shim_unread(int pipe);
/// Private anonymous memory, and giving its pages back while keeping the range.
void *shim_pages(size_t size);
void shim_release_pages(void *pages, size_t size);
void shim_unmap_pages(void *pages, size_t size);
