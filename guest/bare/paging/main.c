/* Paging: a #PF handler that gives memory on demand and copies on write, a 4 MiB page, and INVLPG.
 *
 * The kernel runs on one 4 MiB page that maps the first 4 MiB to themselves, and prints what the handler did. */
#include "../bare.h"
#include "../kernel/cpu.h"

#define PRESENT 0x001u
#define WRITABLE 0x002u
#define ACCESSED 0x020u
#define DIRTY 0x040u
#define LARGE 0x080u
#define COPY_ON_WRITE 0x200u /* one of the three bits that are software's */
#define FRAME 0xfffff000u

#define CR0_WRITE_PROTECT 0x10000u
#define CR0_PAGING 0x80000000u
#define CR4_LARGE_PAGES 0x10u

#define PAGE_FAULT 14
#define ERROR_PRESENT 1u
#define ERROR_WRITE 2u

/* The part of the address space that is filled on demand. */
#define DEMAND 0x40000000u
#define DEMAND_PAGES 8
#define SECOND 0x40010000u
#define LARGE_WINDOW 0x80000000u
#define PAGE 4096u

/* Volatile: the processor reads them too, so the compiler must not move their writes. */
static volatile uint32_t directory[1024] __attribute__((aligned(4096)));
static volatile uint32_t table[1024] __attribute__((aligned(4096))); /* of DEMAND .. DEMAND + 4 MiB */
static uint8_t frames[16][PAGE] __attribute__((aligned(4096)));
static uint32_t frames_used;

static uint32_t new_frame(void) { return (uint32_t)frames[frames_used++]; }

static volatile uint32_t *entry_of(uint32_t address) { return &table[address >> 12 & 1023]; }

static volatile uint32_t *at(uint32_t address) { return (volatile uint32_t *)address; }

static void say(const char *text, uint32_t value) {
  serial_write(text);
  serial_write("0x");
  serial_write_hex(value);
  serial_write("\n");
}

/* Copies the shared frame and lets this page write to the copy. */
static void copy_on_write(uint32_t address, volatile uint32_t *entry) {
  uint32_t copy = new_frame();
  uint32_t *from = (uint32_t *)(*entry & FRAME), *to = (uint32_t *)copy;
  for (uint32_t i = 0; i < PAGE / 4; i++)
    to[i] = from[i];
  *entry = copy | PRESENT | WRITABLE;
  invalidate_page(address);
  say("  copied for the write at ", address);
}

struct trap *on_trap(struct trap *trap) {
  uint32_t address = read_cr2();
  volatile uint32_t *entry = entry_of(address);
  uint32_t inside = address - DEMAND;
  if (trap->vector == PAGE_FAULT && inside < DEMAND_PAGES * PAGE && !(trap->error & ERROR_PRESENT)) {
    *entry = new_frame() | PRESENT | WRITABLE;
    say(trap->error & ERROR_WRITE ? "  page for the write at " : "  page for the read at ", address);
    return trap;
  }
  if (trap->vector == PAGE_FAULT && trap->error == (ERROR_PRESENT | ERROR_WRITE) && (*entry & COPY_ON_WRITE)) {
    copy_on_write(address, entry);
    return trap;
  }
  say("unexpected trap ", trap->vector);
  leave(1);
  return trap;
}

static void start_paging(void) {
  directory[0] = 0 | PRESENT | WRITABLE | LARGE;
  directory[DEMAND >> 22] = (uint32_t)table | PRESENT | WRITABLE;
  write_cr4(read_cr4() | CR4_LARGE_PAGES);
  write_cr3((uint32_t)directory);
  /* Without WP the kernel itself would write to read-only pages, and copy-on-write would copy nothing. */
  write_cr0(read_cr0() | CR0_PAGING | CR0_WRITE_PROTECT);
}

static void show_demand(void) {
  serial_write("on demand\n");
  uint32_t sum = 0;
  for (uint32_t page = 0; page < 3; page++)
    *at(DEMAND + page * PAGE) = page + 1;
  sum += *at(DEMAND + 5 * PAGE + 8);
  for (uint32_t page = 0; page < 3; page++)
    sum += *at(DEMAND + page * PAGE);
  say("  sum ", sum);
}

static void show_accessed_and_dirty(void) {
  serial_write("accessed and dirty\n");
  volatile uint32_t *read = entry_of(DEMAND + 5 * PAGE), *written = entry_of(DEMAND);
  say("  page that was read    ", *read & (ACCESSED | DIRTY));
  say("  page that was written ", *written & (ACCESSED | DIRTY));
}

/* Two pages of one frame, both read-only, until one is written. */
static void show_copy_on_write(void) {
  serial_write("copy on write\n");
  uint32_t shared = (*entry_of(DEMAND) & FRAME) | PRESENT | COPY_ON_WRITE;
  *entry_of(DEMAND) = shared;
  *entry_of(SECOND) = shared;
  invalidate_page(DEMAND);
  invalidate_page(SECOND);
  *at(SECOND) = 77;
  say("  first page  ", *at(DEMAND));
  say("  second page ", *at(SECOND));
}

/* The table entry changes; the translation that the TLB may hold goes only by INVLPG. */
static void show_invalidation(void) {
  serial_write("invalidation\n");
  volatile uint32_t *entry = entry_of(DEMAND + PAGE);
  say("  before ", *at(DEMAND + PAGE));
  *entry = (*entry_of(DEMAND + 2 * PAGE) & FRAME) | PRESENT | WRITABLE;
  invalidate_page(DEMAND + PAGE);
  say("  after  ", *at(DEMAND + PAGE));
}

static void show_large_page(void) {
  static uint32_t word = 0x12345678;
  serial_write("4 MiB page\n");
  directory[LARGE_WINDOW >> 22] = 0 | PRESENT | WRITABLE | LARGE;
  say("  read through it  ", *at(LARGE_WINDOW + (uint32_t)&word));
  *at(LARGE_WINDOW + (uint32_t)&word) = 0x9abcdef0;
  say("  written below it ", *(volatile uint32_t *)&word);
  say("  its entry        ", directory[LARGE_WINDOW >> 22] & (LARGE | ACCESSED | DIRTY));
}

uint32_t kernel_main(void) {
  serial_start();
  load_tables();
  start_paging();
  show_demand();
  show_accessed_and_dirty();
  show_copy_on_write();
  show_invalidation();
  show_large_page();
  return 0;
}
