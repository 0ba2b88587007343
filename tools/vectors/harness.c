/*
 * Executes instruction snippets on the host processor in 32-bit protected mode, ring 3, and reports the complete
 * state afterwards. It is a static 32-bit Linux program without libc: every register of a case, ESP and the segment
 * registers included, is loaded by sigreturn; every case ends in a signal (normally the INT3 that fills the code
 * pages), and the handler is the loop: take down the result, set up the next case, return.
 *
 *   cc -m32 -static -nostdlib -ffreestanding -fno-stack-protector -mno-sse -O2 -Wl,-Ttext-segment=0x60000000
 *
 * Input and output formats: host-protocol.ts. Address map of a case: case-layout.ts (the constants below repeat it).
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

#define CODE_BASE 0x00200000u
#define CODE_BYTES 0x2000u
#define DATA_BASE 0x00300000u
#define READ_ONLY_BYTES 0x1000u
#define DATA_BYTES 0x3000u
#define INPUT_BASE 0x70000000u
#define INPUT_MAX 0x20000000u
#define OUTPUT_BASE 0x90000000u
#define OUTPUT_MAX 0x20000000u
#define MODE_STEP 1
#define FLAG_TF 0x100u
/* What sigreturn may load (Linux FIX_EFLAGS) and what must not leak from one case into the next. */
#define KEPT_FLAGS 0x00040cd5u

struct poke { u16 offset; u8 length; u8 bytes[13]; };
struct test_case {
  u32 regs[8]; /* eax ecx edx ebx esp ebp esi edi */
  u32 eip, eflags;
  u16 segs[6]; /* es cs ss ds fs gs */
  u8 mode, code_length, poke_count, reserved;
  u8 code[120];
  struct poke pokes[4];
};
struct outcome {
  u32 regs[8];
  u32 eip, eflags;
  u16 segs[6];
  u16 trap, error;
  u32 cr2;
  u32 run_count; /* changed runs that follow: u16 offset, u16 length, bytes, padded to 4 */
};
struct sigcontext {
  u16 gs, gsh, fs, fsh, es, esh, ds, dsh;
  u32 edi, esi, ebp, esp, ebx, edx, ecx, eax, trap, error, eip;
  u16 cs, csh;
  u32 eflags, esp_at_signal;
  u16 ss, ssh;
  u32 fpstate, oldmask, cr2;
};
struct ucontext { u32 flags, link, stack[3]; struct sigcontext mc; };
struct kernel_sigaction { void *handler; u32 flags; void *restorer; u32 mask[2]; };
struct user_desc { u32 entry, base, limit, bits; };

static u32 background[DATA_BYTES / 4];
static u32 before[DATA_BYTES / 4];
static u8 handler_stack[65536] __attribute__((aligned(64)));
static const struct test_case *next_case, *end_case;
static u8 *out;
static int started;
static u8 step;

static int syscall6(int n, int a, int b, int c, int d, int e, int f) {
  int r;
  __asm__ volatile("push %%ebp\n\tmov %7,%%ebp\n\tint $0x80\n\tpop %%ebp"
                   : "=a"(r) : "0"(n), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e), "m"(f) : "memory");
  return r;
}
static int syscall3(int n, int a, int b, int c) {
  int r;
  __asm__ volatile("int $0x80" : "=a"(r) : "0"(n), "b"(a), "c"(b), "d"(c) : "memory");
  return r;
}
static void leave(int status) {
  for (;;) syscall3(252, status, 0, 0);
}
static void must(int ok, int status) {
  if (!ok) leave(status);
}
static void copy_words(u32 *to, const u32 *from, u32 n) {
  __asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
}
static void fill_words(u32 *to, u32 value, u32 n) {
  __asm__ volatile("rep stosl" : "+D"(to), "+c"(n) : "a"(value) : "memory");
}

static void write_all(void) {
  u8 *p = (u8 *)OUTPUT_BASE;
  while (p < out) {
    int n = syscall3(4, 1, (int)p, out - p > 1 << 20 ? 1 << 20 : out - p);
    must(n > 0, 9);
    p += n;
  }
  leave(0);
}

/* Loads the next case into the context that sigreturn restores. */
static void load_case(struct sigcontext *mc) {
  const struct test_case *c = next_case++;
  u8 *code;
  u32 i, j;
  fill_words((u32 *)CODE_BASE, 0xcccccccc, CODE_BYTES / 4);
  code = (u8 *)CODE_BASE + (c->eip & (CODE_BYTES - 1)); /* code segments have base 0 or CODE_BASE */
  for (i = 0; i < c->code_length && code + i < (u8 *)CODE_BASE + CODE_BYTES; i++) code[i] = c->code[i];
  copy_words(before + READ_ONLY_BYTES / 4, background + READ_ONLY_BYTES / 4, (DATA_BYTES - READ_ONLY_BYTES) / 4);
  for (i = 0; i < c->poke_count; i++)
    for (j = 0; j < c->pokes[i].length; j++)
      if (c->pokes[i].offset + j >= READ_ONLY_BYTES && c->pokes[i].offset + j < DATA_BYTES)
        ((u8 *)before)[c->pokes[i].offset + j] = c->pokes[i].bytes[j];
  copy_words((u32 *)(DATA_BASE + READ_ONLY_BYTES), before + READ_ONLY_BYTES / 4, (DATA_BYTES - READ_ONLY_BYTES) / 4);
  step = c->mode & MODE_STEP;
  mc->eax = c->regs[0]; mc->ecx = c->regs[1]; mc->edx = c->regs[2]; mc->ebx = c->regs[3];
  mc->esp = c->regs[4]; mc->ebp = c->regs[5]; mc->esi = c->regs[6]; mc->edi = c->regs[7];
  mc->eip = c->eip;
  mc->eflags = (c->eflags & KEPT_FLAGS) | 0x202 | (step ? FLAG_TF : 0);
  mc->es = c->segs[0]; mc->cs = c->segs[1]; mc->ss = c->segs[2];
  mc->ds = c->segs[3]; mc->fs = c->segs[4]; mc->gs = c->segs[5];
  mc->fpstate = 0;
}

/* Appends the runs of bytes that differ from `before`; returns their number. */
static u32 note_changes(void) {
  const u32 *now = (const u32 *)DATA_BASE;
  u32 i = READ_ONLY_BYTES / 4, count = 0;
  while (i < DATA_BYTES / 4) {
    u32 first;
    if (now[i] == before[i]) { i++; continue; }
    first = i;
    while (i < DATA_BYTES / 4 && now[i] != before[i]) i++;
    ((u16 *)out)[0] = first * 4;
    ((u16 *)out)[1] = (i - first) * 4;
    copy_words((u32 *)(out + 4), now + first, i - first);
    out += 4 + (i - first) * 4;
    count++;
  }
  return count;
}

static void note_outcome(const struct sigcontext *mc) {
  struct outcome *o = (struct outcome *)out;
  o->regs[0] = mc->eax; o->regs[1] = mc->ecx; o->regs[2] = mc->edx; o->regs[3] = mc->ebx;
  o->regs[4] = mc->esp; o->regs[5] = mc->ebp; o->regs[6] = mc->esi; o->regs[7] = mc->edi;
  o->eip = mc->eip;
  o->eflags = step ? mc->eflags & ~FLAG_TF : mc->eflags;
  o->segs[0] = mc->es; o->segs[1] = mc->cs; o->segs[2] = mc->ss;
  o->segs[3] = mc->ds; o->segs[4] = mc->fs; o->segs[5] = mc->gs;
  o->trap = mc->trap;
  o->error = mc->error;
  o->cr2 = mc->cr2;
  out += sizeof *o;
  o->run_count = note_changes();
}

void on_signal(int number, void *info, struct ucontext *uc) {
  (void)number;
  (void)info;
  if (started) note_outcome(&uc->mc);
  started = 1;
  if (next_case == end_case || out > (u8 *)OUTPUT_BASE + OUTPUT_MAX - 65536) write_all();
  load_case(&uc->mc);
}

/* AC, NT and ID of a case must not disturb the handler or stay for the next case: sigreturn does not load NT and ID. */
__asm__(".globl signal_entry\nsignal_entry:\n\tpushfl\n\tandl $0xffdbbfff,(%esp)\n\tpopfl\n\tjmp on_signal\n"
        ".globl signal_return\nsignal_return:\n\tmovl $173,%eax\n\tint $0x80\n");
extern char signal_entry[], signal_return[];

/* Descriptors of the cases; ldt.ts describes the same. bits: 1 32-bit, 2.. contents << 1, 8 read/exec only, 16 pages,
   32 not present, 64 usable (AVL). */
static const struct user_desc descriptors[] = {
  {0, DATA_BASE, DATA_BYTES - 1, 1},
  {1, DATA_BASE, DATA_BYTES - 1, 1 | 8},
  {2, DATA_BASE, 0x1fff, 1 | 1 << 1},
  {3, DATA_BASE - 0xd000, 0xdfff, 1 << 1},
  {4, DATA_BASE, 0xffff, 1 | 32},
  {5, 0, 0xfffff, 1 | 2 << 1 | 16},
  {6, 0, 0xfffff, 1 | 2 << 1 | 8 | 16},
  {7, CODE_BASE, 0xffff, 2 << 1},
  {8, DATA_BASE, 0xffff, 0},
  {9, 0, 0xfffff, 1 | 3 << 1 | 16 | 32}, /* Linux takes conforming code only when it is not present */
  {10, DATA_BASE, 0x1103, 1},
  {11, CODE_BASE, 0x11ff, 1 | 2 << 1},
  {12, 0, 0xfffff, 1 | 2 << 1 | 16 | 32},
  {13, 0, 0xfffff, 1 | 16 | 64},
  {14, DATA_BASE, DATA_BYTES - 1, 1 | 2 << 1 | 8},
};

static void set_up(void) {
  u32 i, x = 0x2545f491;
  int flags = 0x32; /* MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS */
  struct { void *sp; int flags; u32 size; } stack = {handler_stack, 0, sizeof handler_stack};
  static const int signals[] = {4, 5, 7, 8, 11};
  must(syscall6(192, CODE_BASE, CODE_BYTES, 7, flags, -1, 0) == (int)CODE_BASE, 2);
  must(syscall6(192, DATA_BASE, DATA_BYTES, 3, flags, -1, 0) == (int)DATA_BASE, 3);
  must(syscall6(192, INPUT_BASE, INPUT_MAX, 3, flags | 0x4000, -1, 0) == (int)INPUT_BASE, 4);
  must(syscall6(192, OUTPUT_BASE, OUTPUT_MAX, 3, flags | 0x4000, -1, 0) == (int)OUTPUT_BASE, 4);
  for (i = 0; i < DATA_BYTES / 4; i++) {
    x ^= x << 13; x ^= x >> 17; x ^= x << 5;
    background[i] = before[i] = x;
  }
  copy_words((u32 *)DATA_BASE, background, DATA_BYTES / 4);
  must(syscall3(125, DATA_BASE, READ_ONLY_BYTES, 1) == 0, 5);
  for (i = 0; i < sizeof descriptors / sizeof descriptors[0]; i++)
    must(syscall3(123, 0x11, (int)&descriptors[i], sizeof descriptors[0]) == 0, 6);
  must(syscall3(186, (int)&stack, 0, 0) == 0, 7);
  for (i = 0; i < sizeof signals / sizeof signals[0]; i++) {
    struct kernel_sigaction sa = {signal_entry, 0x04000000 | 0x08000000 | 0x40000000 | 4, signal_return, {0, 0}};
    must(syscall6(174, signals[i], (int)&sa, 0, 8, 0, 0) == 0, 8);
  }
}

void _start(void) {
  u32 total = 0;
  int n;
  set_up();
  while ((n = syscall3(3, 0, INPUT_BASE + total, 1 << 20)) > 0) total += n;
  must(n == 0 && total % sizeof(struct test_case) == 0, 10);
  next_case = (const struct test_case *)INPUT_BASE;
  end_case = next_case + total / sizeof(struct test_case);
  out = (u8 *)OUTPUT_BASE;
  __asm__ volatile("int3");
  leave(11);
}
