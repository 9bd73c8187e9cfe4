// The program of a pod's infra container: waits until it is told to end, and buries processes that lost their parent.
// It is alone in its root filesystem, so that it has no library under it, not even libc.

#if defined(__x86_64__)
enum { sys_sigprocmask = 14, sys_wait4 = 61, sys_sigtimedwait = 128, sys_exit_group = 231 };

static long call(long number, long a, long b, long c, long d) {
  register long r10 __asm__("r10") = d;
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                   : "rcx", "r11", "memory");
  return result;
}

__asm__(".globl _start\n_start:\n  xor %ebp, %ebp\n  and $-16, %rsp\n  call pause_forever\n  hlt\n");
#elif defined(__aarch64__)
enum { sys_sigprocmask = 135, sys_wait4 = 260, sys_sigtimedwait = 137, sys_exit_group = 94 };

static long call(long number, long a, long b, long c, long d) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
  return x0;
}

__asm__(".globl _start\n_start:\n  mov x29, #0\n  mov x30, #0\n  bl pause_forever\n  brk #0\n");
#else
#error "system calls of this architecture are missing here"
#endif

// As the kernel has them on both.
enum { sig_int = 2, sig_term = 15, sig_child = 17, no_hang = 1, block = 0, interrupted = -4 };
static const unsigned long awaited = 1ul << (sig_int - 1) | 1ul << (sig_term - 1) | 1ul << (sig_child - 1);

__attribute__((noreturn, used)) void pause_forever(void) {
  call(sys_sigprocmask, block, (long)&awaited, 0, sizeof awaited);
  for (;;) {
    const long signal = call(sys_sigtimedwait, (long)&awaited, 0, 0, sizeof awaited);
    if (signal == sig_int || signal == sig_term) call(sys_exit_group, 0, 0, 0, 0);
    // A filter that forbids waiting: better to end than to go round and round.
    if (signal < 0 && signal != interrupted) call(sys_exit_group, 1, 0, 0, 0);
    while (call(sys_wait4, -1, 0, no_hang, 0) > 0) {}
  }
}
