#include "CLinux.h"

#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/// Filters at once: that of the container and one of each exec. What has no place loses its listener, and its blocked calls get ENOSYS.
#define FILTERS 512
/// After so many answers comes a pause of 10 ms: a container that does nothing but try takes a few percent of a processor, not all of it.
#define BURST 64

struct table {
  struct shim_blocked_call *calls;
  size_t count;
};

/// By a descriptor that is checked once more: the caller may be gone, and its number another's.
static void kill_caller(int filter, const struct seccomp_notif *request) {
  int pidfd = clinux_pidfd_open((pid_t)request->pid, 0);
  if (pidfd < 0) return;
  if (ioctl(filter, SECCOMP_IOCTL_NOTIF_ID_VALID, &request->id) == 0) clinux_pidfd_send_signal(pidfd, SIGKILL);
  close(pidfd);
}

/// 0 where the filter has no more to say. A caller that died meanwhile (ENOENT) matters to nobody.
static int answer(int filter, const struct table *table) {
  struct seccomp_notif request;
  struct seccomp_notif_resp response = {.error = -ENOSYS};
  memset(&request, 0, sizeof request);
  if (ioctl(filter, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0) return errno == ENOENT || errno == EINTR;
  for (size_t i = 0; i < table->count; i++) {
    struct shim_blocked_call *call = &table->calls[i];
    if (call->number != (uint32_t)request.data.nr || call->architecture != request.data.arch) continue;
    call->count++;
    response.error = -(int32_t)call->answer;
    break;
  }
  if (response.error == 0) return kill_caller(filter, &request), 1;
  response.id = request.id;
  ioctl(filter, SECCOMP_IOCTL_NOTIF_SEND, &response);
  return 1;
}

static int take_filter(int listener) {
  struct pollfd peer = {.fd = shim_accept(listener), .events = POLLIN};
  if (peer.fd < 0) return -1;
  poll(&peer, 1, 1000);
  int filter = shim_receive_descriptor(peer.fd);
  close(peer.fd);
  return filter;
}

static _Noreturn void serve(int listener, const struct table *table) {
  static struct pollfd watched[1 + FILTERS];
  const struct timespec pause = {.tv_nsec = 10000000};
  unsigned count = 1, answers = 0;
  watched[0] = (struct pollfd){.fd = listener, .events = POLLIN};
  for (;;) {
    if (poll(watched, count, -1) < 0) continue;
    for (unsigned i = count; --i > 0;) {
      short events = watched[i].revents;
      if ((events & POLLIN && answer(watched[i].fd, table)) || events == 0) {
        if (events && ++answers % BURST == 0) nanosleep(&pause, NULL);
      } else {
        close(watched[i].fd);
        watched[i] = watched[--count];
      }
    }
    if (watched[0].revents == 0) continue;
    int filter = take_filter(listener);
    if (count <= FILTERS && filter >= 0) watched[count++] = (struct pollfd){.fd = filter, .events = POLLIN};
    else close(filter);
  }
}

static _Noreturn void run(int listener, int calls, pid_t parent) {
  size_t size = (size_t)lseek(calls, 0, SEEK_END);
  struct table table = {mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, calls, 0), size / sizeof *table.calls};
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (table.calls == MAP_FAILED || getppid() != parent || dup2(listener, 3) < 0) _exit(1);
  prctl(PR_SET_NAME, "berth-seccomp");
  syscall(SYS_close_range, 4, ~0U, 0);
  serve(3, &table);
}

pid_t shim_notifier_start(const char *bundle, int *pidfd) {
  pid_t parent = getpid(), pid = -1;
  int directory = open(bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int listener = shim_listen_in(directory, "seccomp.sock");
  int calls = openat(directory, "seccomp.calls", O_RDWR | O_CLOEXEC);
  if (listener >= 0 && calls >= 0) pid = shim_clone(0, pidfd);
  if (pid == 0) run(listener, calls, parent);
  int error = errno;
  close(directory);
  close(listener);
  close(calls);
  errno = error;
  return pid;
}
