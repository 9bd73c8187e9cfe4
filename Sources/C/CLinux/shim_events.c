#include "CLinux.h"

#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>

int shim_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int shim_epoll_set(int epoll, int fd, uint32_t events, int again) {
  struct epoll_event event = {.events = events, .data.fd = fd};
  if (events == 0) return epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
  return epoll_ctl(epoll, again ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
}

int shim_epoll_wait(int epoll, int32_t *fds, uint32_t *events, int count, int timeout) {
  struct epoll_event ready[32];
  int found = epoll_wait(epoll, ready, count < 32 ? count : 32, timeout);
  for (int i = 0; i < found; i++) {
    fds[i] = ready[i].data.fd;
    events[i] = ready[i].events;
  }
  return found;
}

uint32_t shim_epoll_in(void) { return EPOLLIN; }
uint32_t shim_epoll_out(void) { return EPOLLOUT; }

int shim_child_signals(void) {
  sigset_t all, children;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  return signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
}

void shim_drain_signals(int fd) {
  struct signalfd_siginfo info[4];
  while (read(fd, info, sizeof info) > 0) {}
}

int shim_become_reaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

void shim_small_heap(void) {
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, 128 << 10);
  mallopt(M_TRIM_THRESHOLD, 64 << 10);
}

void shim_trim_heap(void) { malloc_trim(0); }

struct text {
  void *start;
  size_t size;
};

static struct text texts[8];
static int text_count;

/// Segments that are writable at some time (RELRO is) hold changed pages, which would be lost.
static int note_text(struct dl_phdr_info *info, size_t size, void *context) {
  (void)size;
  (void)context;
  for (int i = 0; i < info->dlpi_phnum && text_count < (int)(sizeof texts / sizeof *texts); i++) {
    const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
    if (segment->p_type != PT_LOAD || segment->p_flags & PF_W || !info->dlpi_addr) continue;
    uintptr_t start = (info->dlpi_addr + segment->p_vaddr) & ~4095UL;
    uintptr_t end = (info->dlpi_addr + segment->p_vaddr + segment->p_memsz + 4095UL) & ~4095UL;
    texts[text_count++] = (struct text){(void *)start, end - start};
  }
  return 0;
}

__attribute__((constructor)) static void note_texts(void) { dl_iterate_phdr(note_text, NULL); }

void shim_rest(void) {
  for (int i = 0; i < text_count; i++) madvise(texts[i].start, texts[i].size, MADV_DONTNEED);
}

int shim_reap(int pidfd, int32_t *code) {
  siginfo_t info = {0};
  if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) < 0) return -1;
  if (info.si_pid == 0) return 0;
  *code = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
  return 1;
}

pid_t shim_ended_child(void) {
  siginfo_t info = {0};
  if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0) return 0;
  return info.si_pid;
}

void shim_discard_child(pid_t pid) {
  siginfo_t info;
  waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG);
}

struct thread_start {
  void (*body)(void *);
  void *context;
};

static void *thread_main(void *argument) {
  struct thread_start start = *(struct thread_start *)argument;
  free(argument);
  start.body(start.context);
  return NULL;
}

int shim_thread(void (*body)(void *), void *context) {
  struct thread_start *start = malloc(sizeof *start);
  if (!start) return ENOMEM;
  *start = (struct thread_start){body, context};
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, 128 << 10);
  int error = pthread_create(&thread, &attributes, thread_main, start);
  pthread_attr_destroy(&attributes);
  if (error) free(start);
  return error;
}

static int64_t nanoseconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t shim_realtime(void) { return nanoseconds(CLOCK_REALTIME); }
int64_t shim_monotonic(void) { return nanoseconds(CLOCK_MONOTONIC); }

static int saved_argc;
static char **saved_argv;

__attribute__((constructor)) static void save_arguments(int argc, char **argv) {
  saved_argc = argc;
  saved_argv = argv;
}

int shim_argc(void) { return saved_argc; }
const char *shim_argv(int index) { return index >= 0 && index < saved_argc ? saved_argv[index] : NULL; }

void shim_clean_environment(void) {
  static const char *const names[] = {"NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_PID", "WATCHDOG_USEC"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) unsetenv(names[i]);
}

int shim_is_child(int pidfd) {
  siginfo_t info = {0};
  return waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}
