// The holder's program is one function copied out of this one into an ELF file of its own. It may use nothing but its registers,
// its stack and the data page in front of it: no libc, no constants in .rodata, no calls.
#include "CLinux.h"

#include <elf.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define BASE 0x400000UL
#define DATA_OFFSET 0x200
#define CODE_OFFSET 0x400

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "the holder knows x86-64 and aarch64"
#endif

#define ALLOWED 9

struct holder_data {
  char name[16];
  char ready[8];
  uint64_t mask;
  struct sock_fprog program;
  struct sock_filter filter[ALLOWED + 6];
};

static inline __attribute__((always_inline)) long call(long number, long a, long b, long c, long d) {
#if defined(__x86_64__)
  register long r10 __asm__("r10") = d;
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
  return result;
#else
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = 0;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return x0;
#endif
}

#if defined(__x86_64__)
#define ENTRY __attribute__((force_align_arg_pointer))
#else
#define ENTRY
#endif

/// No counters and no checks: their data is not copied along.
#if defined(__clang__)
#define BARE __attribute__((no_profile_instrument_function, disable_sanitizer_instrumentation))
#else
#define BARE
#endif

/// Executing made it dumpable again and kept the parent-death signal; the report pipe is descriptor 0 and closes with the readiness byte.
ENTRY BARE __attribute__((section("berth_holder"), used, noinline, no_stack_protector)) static void holder_program(void) {
  const struct holder_data *data = (const struct holder_data *)(BASE + DATA_OFFSET);
  call(SYS_prctl, PR_SET_NAME, (long)data->name, 0, 0);
  long failed = call(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0);
  failed |= call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0);
  failed |= call(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, (long)&data->program, 0);
  if (failed == 0) failed = call(SYS_write, 0, (long)data->ready, 1, 0) != 1;
  call(SYS_close, 0, 0, 0, 0);
  while (failed == 0) {
    call(SYS_rt_sigtimedwait, (long)&data->mask, 0, 0, 8);
    while (call(SYS_wait4, -1, 0, WNOHANG, 0) > 0) {}
  }
  call(SYS_exit_group, 126, 0, 0, 0);
  __builtin_unreachable();
}

extern const char __start_berth_holder[], __stop_berth_holder[];

static void fill_filter(struct holder_data *data) {
  static const uint32_t allowed[ALLOWED] = {SYS_rt_sigtimedwait, SYS_wait4,         SYS_write, SYS_close,
                                            SYS_rt_sigreturn,    SYS_restart_syscall, SYS_exit,  SYS_exit_group,
                                            SYS_rt_sigtimedwait};
  struct sock_filter *next = data->filter;
  *next++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
  *next++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
  *next++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  *next++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (int i = 0; i < ALLOWED; i++)
    *next++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed[i], (uint8_t)(ALLOWED - i), 0);
  *next++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
  *next++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  data->program.len = (unsigned short)(next - data->filter);
  data->program.filter = (struct sock_filter *)(BASE + DATA_OFFSET + offsetof(struct holder_data, filter));
}

static void fill_headers(char *image, size_t size, size_t entry) {
  Elf64_Ehdr *header = (Elf64_Ehdr *)image;
  Elf64_Phdr *segments = (Elf64_Phdr *)(image + sizeof *header);
  memcpy(header->e_ident, ELFMAG, SELFMAG);
  header->e_ident[EI_CLASS] = ELFCLASS64;
  header->e_ident[EI_DATA] = ELFDATA2LSB;
  header->e_ident[EI_VERSION] = EV_CURRENT;
  header->e_type = ET_EXEC;
  header->e_machine = MACHINE;
  header->e_version = EV_CURRENT;
  header->e_entry = BASE + CODE_OFFSET + entry;
  header->e_phoff = sizeof *header;
  header->e_ehsize = sizeof *header;
  header->e_phentsize = sizeof *segments;
  header->e_phnum = 2;
  segments[0] = (Elf64_Phdr){.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = BASE, .p_paddr = BASE,
                             .p_filesz = size, .p_memsz = size, .p_align = 0x10000};
  segments[1] = (Elf64_Phdr){.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W, .p_align = 16};
}

static int seal(int fd) {
  if (fchmod(fd, 0111) < 0) return -1;
  return fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
}

/// MFD_EXEC is refused before Linux 6.3 and demanded where vm.memfd_noexec says so.
static int executable_memfd(void) {
  const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  int fd = memfd_create("berth-holder", flags | 0x10U);
  return fd < 0 && errno == EINVAL ? memfd_create("berth-holder", flags) : fd;
}

int shim_holder_image(void) {
  char image[4096] = {0};
  size_t code = (size_t)(__stop_berth_holder - __start_berth_holder);
  size_t size = CODE_OFFSET + code;
  struct holder_data *data = (struct holder_data *)(image + DATA_OFFSET);
  _Static_assert(sizeof(struct holder_data) <= CODE_OFFSET - DATA_OFFSET, "the data fits in front of the code");
  if (size > sizeof image) return errno = E2BIG, -1;
  memcpy(image + CODE_OFFSET, __start_berth_holder, code);
  memcpy(data->name, "berth-holder", 13);
  data->mask = 1ULL << (SIGCHLD - 1);
  fill_filter(data);
  fill_headers(image, size, (size_t)((const char *)(uintptr_t)&holder_program - __start_berth_holder));
  int fd = executable_memfd();
  if (fd < 0) return -1;
  if (write(fd, image, size) == (ssize_t)size && seal(fd) == 0) return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}
