/*
 * Runs snippets on the host's processor in 32-bit mode: cases from stdin, results to stdout, same layout.
 * No libc. Data and stack at 0x800000, code at 0x900000, the same addresses as in the emulated machine.
 */
typedef unsigned int u32;
typedef unsigned char u8;
struct test_case { u32 regs[8]; u32 flags; u32 length; u8 code[32]; u8 data[128]; };

static int sys3(int n, int a, int b, int c) {
  int r;
  __asm__ volatile("int $0x80" : "=a"(r) : "a"(n), "b"(a), "c"(b), "d"(c) : "memory");
  return r;
}
static void map(u32 at, u32 size) {
  u32 args[6] = { at, size, 7, 0x32, -1u, 0 };
  sys3(90, (int)args, 0, 0);
}
struct test_case now;
u32 saved_esp, back_at, entry;
void run_case(void);
__asm__(
  ".globl run_case\nrun_case:\n pusha\n mov %esp, saved_esp\n"
  " pushl now+32\n popf\n"
  " mov now+0, %eax\n mov now+4, %ecx\n mov now+8, %edx\n mov now+12, %ebx\n"
  " mov now+20, %ebp\n mov now+24, %esi\n mov now+28, %edi\n mov now+16, %esp\n jmp *entry\n"
  ".globl back\nback:\n mov %eax, now+0\n mov %ecx, now+4\n mov %edx, now+8\n mov %ebx, now+12\n"
  " mov %esp, now+16\n mov %ebp, now+20\n mov %esi, now+24\n mov %edi, now+28\n"
  " mov saved_esp, %esp\n pushf\n popl now+32\n cld\n popa\n ret\n");
extern char back[];
__attribute__((force_align_arg_pointer)) void _start(void) {
  u8 *data = (u8 *)0x800000, *code = (u8 *)0x900000;
  map(0x800000, 0x10000);
  map(0x900000, 0x10000);
  back_at = (u32)back;
  entry = 0x900000;
  for (;;) {
    u32 got = 0;
    while (got < sizeof now) {
      int n = sys3(3, 0, (int)&now + got, sizeof now - got);
      if (n <= 0) sys3(1, got != 0, 0, 0);
      got += n;
    }
    for (u32 i = 0; i < 128; i++) data[0x8000 + i] = now.data[i];
    for (u32 i = 0; i < now.length; i++) code[i] = now.code[i];
    u8 *p = code + now.length;
    *p++ = 0xff; *p++ = 0x25; *(u32 *)p = (u32)&back_at;
    run_case();
    for (u32 i = 0; i < 128; i++) now.data[i] = data[0x8000 + i];
    sys3(4, 1, (int)&now, sizeof now);
  }
}
