#include "CLinux.h"

#include <sys/ioctl.h>

int shim_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK); }

int64_t shim_peer_user(int fd) {
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return -1;
  return peer.uid;
}

int shim_packet_pair(int ends[2]) { return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends); }
int shim_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int shim_set_nonblocking(int fd) {
  int flags = fcntl(fd, F_GETFL);
  return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int shim_listen_in(int dirfd, const char *name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  unlinkat(dirfd, name, 0);
  snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", dirfd, name);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 128) == 0) return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

int shim_receive_descriptor(int fd) {
  char byte[512];
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control;
  struct iovec vector = {byte, sizeof byte};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  if (recvmsg(fd, &message, MSG_CMSG_CLOEXEC) < 0) return -1;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS || header->cmsg_len < CMSG_LEN(sizeof(int)))
    return errno = EPROTO, -1;
  int received;
  memcpy(&received, CMSG_DATA(header), sizeof received);
  return received;
}

int shim_resize_terminal(int fd, uint16_t columns, uint16_t rows) {
  struct winsize size = {.ws_row = rows, .ws_col = columns};
  return ioctl(fd, TIOCSWINSZ, &size);
}

int shim_unread(int pipe) {
  int count = 0;
  return ioctl(pipe, FIONREAD, &count) < 0 ? -1 : count;
}

void *shim_pages(size_t size) {
  void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return pages == MAP_FAILED ? NULL : pages;
}

void shim_release_pages(void *pages, size_t size) { madvise(pages, size, MADV_DONTNEED); }
void shim_unmap_pages(void *pages, size_t size) { munmap(pages, size); }
