#include "CLinux.h"
#include <sys/ioctl.h>
#include <termios.h>

static struct termios saved, raw;
static volatile sig_atomic_t raw_fd = -1;
static int change_pipe[2] = {-1, -1};

int clinux_terminal_size(int fd, int *columns, int *rows) {
  struct winsize size;
  if (ioctl(fd, TIOCGWINSZ, &size) != 0) return -1;
  *columns = size.ws_col;
  *rows = size.ws_row;
  return 0;
}

void clinux_terminal_restore(void) {
  int fd = raw_fd;
  raw_fd = -1;
  if (fd >= 0) tcsetattr(fd, TCSANOW, &saved);
}

/// Installed for once (SA_RESETHAND): the second delivery has its usual effect.
static void die(int number) {
  clinux_terminal_restore();
  raise(number);
}

static const int crashes[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP};
static struct sigaction before_crash[sizeof crashes / sizeof *crashes];

/// Whoever handled crashes before still does: a fault happens again where it was, anything else is raised again.
static void crash(int number, siginfo_t *info, void *context) {
  (void)context;
  clinux_terminal_restore();
  for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
    if (crashes[i] == number) sigaction(number, &before_crash[i], NULL);
  if (info->si_code <= 0 || number == SIGABRT) raise(number);
}

static void changed(int number) {
  (void)number;
  int error = errno;
  ssize_t written = change_pipe[1] < 0 ? 0 : write(change_pipe[1], "", 1);
  (void)written;  // a full pipe says it already
  errno = error;
}

/// Stopped by somebody's kill(1), since keys make no signals here: the terminal is the shell's for as long.
static void stop(int number) {
  (void)number;
  int error = errno, fd = raw_fd;
  clinux_terminal_restore();
  kill(getpid(), SIGSTOP);
  if (fd >= 0 && tcsetattr(fd, TCSANOW, &raw) == 0) raw_fd = fd;
  changed(SIGCONT);
  errno = error;
}

static void handle(int number, void (*handler)(int), int flags) {
  struct sigaction before, action = {.sa_handler = handler, .sa_flags = flags};
  if (sigaction(number, NULL, &before) != 0 || before.sa_handler != SIG_DFL) return;
  sigemptyset(&action.sa_mask);
  sigaction(number, &action, NULL);
}

int clinux_terminal_raw(int fd) {
  static const int deadly[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGALRM, SIGSYS};
  struct sigaction action = {.sa_sigaction = crash, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
  static int prepared = 0;
  if (tcgetattr(fd, &saved) != 0) return -1;
  raw = saved;
  cfmakeraw(&raw);
  if (!prepared) {
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++) handle(deadly[i], die, (int)(SA_RESETHAND | SA_NODEFER));
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) sigaction(crashes[i], &action, &before_crash[i]);
    handle(SIGTSTP, stop, SA_RESTART);
    if (atexit(clinux_terminal_restore) != 0) return -1;
    prepared = 1;
  }
  // Before, so that a signal in between restores what is not changed yet.
  raw_fd = fd;
  if (tcsetattr(fd, TCSANOW, &raw) == 0) return 0;
  raw_fd = -1;
  return -1;
}

int clinux_terminal_changes(void) {
  if (change_pipe[0] >= 0) return change_pipe[0];
  if (pipe2(change_pipe, O_CLOEXEC) != 0 || fcntl(change_pipe[1], F_SETFL, O_NONBLOCK) != 0) return -1;
  handle(SIGWINCH, changed, SA_RESTART);
  return change_pipe[0];
}
