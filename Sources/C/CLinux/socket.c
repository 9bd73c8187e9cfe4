#include "CLinux.h"

// The directory by its descriptor: short however deep it lies.
static int address(struct sockaddr_un *result, int dirfd, const char *name) {
  *result = (struct sockaddr_un){.sun_family = AF_UNIX};
  int length = snprintf(result->sun_path, sizeof result->sun_path, "/proc/self/fd/%d/%s", dirfd, name);
  if (length >= 0 && (size_t)length < sizeof result->sun_path) return 0;
  errno = ENAMETOOLONG;
  return -1;
}

static int close_keeping_errno(int fd) {
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

int clinux_unix_listen(int dirfd, const char *name, int backlog) {
  struct sockaddr_un socket_address;
  if (address(&socket_address, dirfd, name) < 0) return -1;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  if (bind(fd, (struct sockaddr *)&socket_address, sizeof socket_address) < 0) return close_keeping_errno(fd);
  if (listen(fd, backlog) < 0) return close_keeping_errno(fd);
  return fd;
}

int clinux_unix_connect(int dirfd, const char *name, int milliseconds) {
  struct sockaddr_un socket_address;
  if (address(&socket_address, dirfd, name) < 0) return -1;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  // What bounds a send bounds the wait for a place in the listener's queue, too (unix(7), unix_stream_connect).
  struct timeval limit = {.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000}, none = {0};
  if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0) return close_keeping_errno(fd);
  if (connect(fd, (struct sockaddr *)&socket_address, sizeof socket_address) < 0) {
    if (errno == EAGAIN) errno = ETIMEDOUT;
    return close_keeping_errno(fd);
  }
  if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof none) < 0) return close_keeping_errno(fd);
  return fd;
}
