#include "CLinux.h"

static int signal_pipe[2] = {-1, -1};

static void report(int number) {
  int saved = errno;
  unsigned char byte = (unsigned char)number;
  ssize_t written = write(signal_pipe[1], &byte, 1);
  (void)written;  // a full pipe already holds unread signals
  errno = saved;
}

int clinux_signal_pipe(const int *signals, int count) {
  if (signal_pipe[0] < 0) {
    if (pipe2(signal_pipe, O_CLOEXEC) != 0) return -1;
    if (fcntl(signal_pipe[1], F_SETFL, O_NONBLOCK) != 0) return -1;
  }
  struct sigaction action = {.sa_handler = report, .sa_flags = SA_RESTART};
  sigfillset(&action.sa_mask);
  for (int i = 0; i < count; i++)
    if (sigaction(signals[i], &action, NULL) != 0) return -1;
  return signal_pipe[0];
}

void clinux_ignore_broken_pipes(void) { signal(SIGPIPE, SIG_IGN); }
