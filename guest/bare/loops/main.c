/* The image that engines are tested and compared by (`npm run bench engines` and `loops`): loops.c with paging on, and three
 * kinds of trap: INT 0x80 from ring 3 and back, a page fault from ring 3 that is handled and resumed, and TLB fills by the
 * page walk. Needs 64 MiB of RAM.
 *
 * The command line says how many units each does: `loops xorshift=100 fill=20`. On the debug console each begins with its
 * name and `<`, and ends with `>` and a checksum: whoever listens takes the time between the two marks. What the marks are
 * for one unit of each is in expected.txt (as QEMU runs it; `sieve` would take too long for tests). */
#include "../bare.h"
#include "../kernel/cpu.h"
#include "loops.h"

#define PRESENT_WRITABLE_USER 7u
#define CR0_PAGING 0x80000000u
#define MAPPED (64u * MIB)
#define GATE_FROM_RING_3 0xee00u
#define FILL_PAGES 1024u
#define UNIT 10000u

void enter_user(void (*code)(void), uint32_t count);
void user_calls(void);
void user_faults(void);
void on_leave_user(void);
void on_null_call(void);
void on_window_fault(void);
uint32_t touch_pages(const void *first, uint32_t count);

static uint32_t directory[1024] __attribute__((aligned(4096)));
static uint32_t tables[MAPPED / (4u * MIB)][1024] __attribute__((aligned(4096)));
/* The 4 MiB at WINDOW, of which the fault loop uses the first pages. */
uint32_t window_table[1024] __attribute__((aligned(4096)));
#define WINDOW 0x10000000u
uint8_t *window = (uint8_t *)WINDOW;
/* The page of the window that is there now. */
uint32_t last_address = WINDOW + 1023u * 4096u;

static uint64_t idt[256];

struct trap *on_trap(struct trap *trap) {
  debug_write("unexpected trap\n");
  leave(1);
  return trap;
}

static void start_paging(void) {
  for (uint32_t page = 0; page < MAPPED / 4096; page++)
    tables[page / 1024][page % 1024] = page << 12 | PRESENT_WRITABLE_USER;
  for (uint32_t i = 0; i < MAPPED / (4u * MIB); i++)
    directory[i] = (uint32_t)tables[i] | PRESENT_WRITABLE_USER;
  for (uint32_t page = 0; page < 1024; page++)
    window_table[page] = (2u * AREA + page * 4096u) | (PRESENT_WRITABLE_USER & ~1u);
  window_table[1023] |= 1;
  directory[WINDOW >> 22] = (uint32_t)window_table | PRESENT_WRITABLE_USER;
  write_cr3((uint32_t)directory);
  write_cr0(read_cr0() | CR0_PAGING);
}

static void set_gate(uint32_t vector, void (*handler)(void)) {
  uint32_t entry = (uint32_t)handler;
  idt[vector] =
      (uint64_t)((entry & 0xffff0000u) | GATE_FROM_RING_3) << 32 | (uint32_t)KERNEL_CODE << 16 | (entry & 0xffff);
}

static void start_traps(void) {
  struct {
    uint16_t limit;
    uint32_t base;
  } __attribute__((packed)) pointer = {sizeof idt - 1, (uint32_t)idt};
  load_tables();
  set_gate(14, on_window_fault);
  set_gate(0x31, on_leave_user);
  set_gate(0x80, on_null_call);
  __asm__ volatile("lidt %0" : : "m"(pointer) : "memory");
}

static uint32_t calls(uint32_t repeat) {
  enter_user(user_calls, repeat * UNIT);
  return repeat;
}

static uint32_t faults(uint32_t repeat) {
  enter_user(user_faults, repeat * UNIT);
  return repeat;
}

static uint32_t fills(uint32_t repeat) {
  for (uint32_t i = 0; i < repeat * UNIT / FILL_PAGES; i++) {
    touch_pages(memory, FILL_PAGES);
    write_cr3((uint32_t)directory);
  }
  return repeat;
}

/* The chase with all translations gone every 2^18 hops: engines whose own tables grow only then become faster. */
static uint32_t chase_and_flush(uint32_t repeat) {
  const struct loop *chase = loops;
  uint32_t page = 0;
  while (chase[1].name)
    chase++;
  for (uint32_t i = 0; i < repeat; i++) {
    page += chase->run(1);
    write_cr3((uint32_t)directory);
  }
  return page;
}

static const struct loop privileged[] = {
    {"chase-cr3", chase_and_flush}, {"int80", calls}, {"fault", faults}, {"fill", fills}, {0, 0},
};

static void debug_write_hex(uint32_t value) {
  char text[2] = {0, 0};
  for (int shift = 28; shift >= 0; shift -= 4) {
    text[0] = "0123456789abcdef"[value >> shift & 15];
    debug_write(text);
  }
}

/* The number behind `name=` on the command line, 0 when it is not there. */
static uint32_t wanted(const char *line, const char *name) {
  for (const char *word = line; *word; word++) {
    const char *at = word, *letter = name;
    if (word != line && word[-1] != ' ')
      continue;
    while (*letter && *at == *letter)
      at++, letter++;
    if (*letter || *at != '=')
      continue;
    uint32_t value = 0;
    for (at++; *at >= '0' && *at <= '9'; at++)
      value = value * 10 + (uint32_t)(*at - '0');
    return value;
  }
  return 0;
}

static void run_all(const struct loop *loop, const char *line) {
  for (; loop->name; loop++) {
    uint32_t repeat = wanted(line, loop->name);
    if (!repeat)
      continue;
    debug_write(loop->name);
    debug_write("<");
    uint32_t sum = loop->run(repeat);
    debug_write(">");
    debug_write_hex(sum);
    debug_write("\n");
  }
}

uint32_t kernel_main(const struct multiboot_info *info) {
  const char *line = info->flags & 4 ? info->command_line : "";
  memory = (uint8_t *)AREA;
  start_paging();
  start_traps();
  run_all(loops, line);
  run_all(privileged, line);
  return 0;
}
