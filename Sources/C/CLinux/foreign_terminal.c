#include "CLinux.h"

#include <sys/ioctl.h>
#include <termios.h>

static int open_slave(int master) {
  char name[64];
  if (grantpt(master) < 0 || unlockpt(master) < 0) return -1;
  int error = ptsname_r(master, name, sizeof name);
  if (error) return errno = error, -1;
  return open(name, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
}

int foreign_terminal(int *master, int *slave) {
  struct termios modes;
  *master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (*master < 0) return -1;
  *slave = open_slave(*master);
  if (*slave >= 0 && tcgetattr(*slave, &modes) == 0) {
    cfmakeraw(&modes);
    if (tcsetattr(*slave, TCSANOW, &modes) == 0) return 0;
  }
  int error = errno;
  close(*master);
  if (*slave >= 0) close(*slave);
  errno = error;
  return -1;
}

void foreign_lead_session(int terminal) {
  setsid();
  if (terminal >= 0) ioctl(terminal, TIOCSCTTY, 0);
}

static int send_descriptor(int socket, int descriptor) {
  static char name[] = "/dev/ptmx";
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control = {0};
  struct iovec vector = {name, sizeof name - 1};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  *header = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
  memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

int foreign_hand_over(const char *path, int descriptor) {
  int socket = foreign_connect(path, strlen(path), 0);
  if (socket < 0) return -1;
  int result = send_descriptor(socket, descriptor);
  int error = errno;
  close(socket);
  errno = error;
  return result;
}
